"""Sessions that are on now, and what can be seen of two people who meet in one: decoded frames and pixels that move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from playwright.async_api import Page, expect

from app.accounts import web_sessions
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.settings import Settings
from e2e.support.browser import Windows
from e2e.support.platform import RunningPlatform
from e2e.support.studios import open_studio
from e2e.support.waiting import until

LENGTH = timedelta(hours=1)
BEGAN = timedelta(minutes=-10)
_MOVE = sa.text(
    "update sessions set scheduled_at = :start, ends_at = :end, blocked = tstzrange(:start, :end) where id = :id"
)
# What arrives from the other: frames that were decoded, and the pixels of the one that is shown, very small.
_FRAMES = """() => {
    const quality = document.getElementById("theirs").getVideoPlaybackQuality();
    return quality.totalVideoFrames - quality.droppedVideoFrames;
}"""
_PIXELS = """() => {
    const video = document.getElementById("theirs");
    if (!video.checkVisibility() || !video.videoWidth) return null;
    const canvas = new OffscreenCanvas(48, 27).getContext("2d");
    canvas.drawImage(video, 0, 0, 48, 27);
    return [...canvas.getImageData(0, 0, 48, 27).data].join();
}"""


@dataclass(frozen=True)
class Meeting:
    """`mentor` and `student` are the session cookies' secrets."""

    mentor: str
    mentor_name: str
    student: str
    student_name: str
    session_id: UUID

    @property
    def path(self) -> str:
        """The room's page."""
        return f"/sessions/{self.session_id}/call"


async def arrange(platform: RunningPlatform, starts_in: timedelta = BEGAN) -> Meeting:
    """A session of two people of the test's own that starts so much later than now."""
    studio = await open_studio(platform)
    settings = Settings.from_env(platform.env)
    database = Database(settings)
    try:
        async with database.service(ServiceDoor.SEED) as uow:
            secret = await web_sessions.start(uow, settings, studio.student_id, web_sessions.Browser())
            await uow.commit()
    finally:
        await database.dispose()
    await sql(platform, _MOVE, **_times(starts_in), id=studio.session_id)
    return Meeting(studio.mentor, studio.mentor_name, secret, studio.student_name, studio.session_id)


async def sql(platform: RunningPlatform, statement: sa.TextClause, **values: Any) -> Sequence[Any]:
    """Arrange, or look at, what no page does."""
    database = Database(Settings.from_env(platform.env))
    try:
        async with database.service(ServiceDoor.SEED) as uow:
            result = await uow.session.execute(statement, values)
            rows = result.all() if result.returns_rows else []  # type: ignore[attr-defined]
            await uow.commit()
            return rows
    finally:
        await database.dispose()


def _times(starts_in: timedelta) -> dict[str, datetime]:
    start = datetime.now(UTC) + starts_in
    return {"start": start, "end": start + LENGTH}


async def enter(windows: Windows, secret: str, path: str, **how: Any) -> Page:
    """The lobby of a room, its devices tried."""
    page = await windows.open(session=secret, **how)
    await page.goto(path)
    await expect(page.locator("#join")).to_be_enabled()
    return page


async def join(page: Page) -> None:
    """From the lobby into the room."""
    await page.locator("#join").click()
    await expect(page.locator("#call")).to_have_attribute("data-stage", "room")


async def both_in(
    windows: Windows, meeting: Meeting, theirs: Windows | None = None, **how: Any
) -> tuple[Page, Page]:
    """Mentor and student in the room, connected; the student's window is one of `theirs`, if given."""
    mentor = await enter(windows, meeting.mentor, meeting.path, **how)
    student = await enter(theirs or windows, meeting.student, meeting.path, **how)
    await join(mentor)
    await join(student)
    for page in (mentor, student):
        await expect(page.locator("#room-state")).to_have_text("Connected")
    return mentor, student


async def frames(page: Page) -> int:
    """How many frames of the other's were decoded and shown so far."""
    decoded: int = await page.evaluate(_FRAMES)
    return decoded


async def moves(page: Page, seconds: float = 20.0) -> None:
    """Wait until ten more frames were decoded and the picture shown is another one."""
    before = await frames(page), await page.evaluate(_PIXELS)

    async def moved() -> bool | None:
        now = await frames(page), await page.evaluate(_PIXELS)
        return (
            True
            if now[0] >= before[0] + 10 and None not in (before[1], now[1]) and now[1] != before[1]
            else None
        )

    if before[1] is None:
        await until(lambda: page.evaluate(_PIXELS), seconds)
        before = await frames(page), await page.evaluate(_PIXELS)
    await until(moved, seconds)
