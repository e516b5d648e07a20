"""Two people, a session that is on, and their pages."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Litestar

from app.booking.service import SessionFacts
from app.core import clock
from app.video.rooms import Pace, Rooms
from tests.accounts.browser import Browser
from tests.booking.support import Desk
from tests.video.sockets import Wire, dialed

QUICK = Pace(join_seconds=0.3, beat_seconds=0.1)


@dataclass
class Meeting:
    """A session that began ten minutes ago, and the browsers of its people."""

    app: Litestar
    desk: Desk
    session: SessionFacts
    browsers: dict[str, Browser]
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def rooms(self) -> Rooms:
        return self.app.state.rooms  # type: ignore[no-any-return]

    def hurry(self, **pace: Any) -> None:
        """From now on sockets look at the database many times a second."""
        self.rooms.pace = replace(QUICK, **pace)

    def cookie(self, who: str) -> str:
        """The secret of somebody's session."""
        secret = self.browsers[who].cookie("session")
        assert secret
        return secret

    async def token(self, who: str) -> str:
        """A token, asked for as the page does it."""
        browser = self.browsers[who]
        if "csrftoken" not in browser.http.cookies:
            await browser.get("/privacy")
        headers = {"x-csrftoken": browser.http.cookies["csrftoken"]}
        answer = await browser.http.post(f"/api/video/{self.session.id}/token", headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()["token"]  # type: ignore[no-any-return]

    async def dial(self, who: str, **how: Any) -> Wire:
        """A socket of somebody, accepted or not; lost at the end of the test."""
        how = {"cookie": self.cookie(who)} | how
        return await self.stack.enter_async_context(dialed(self.app, self.session.id, **how))

    async def join(self, who: str, page: str = "page", token: str | None = None) -> Wire:
        """Somebody in the room: told that they joined, and who agrees to a recording."""
        wire = await self.dial(who)
        wire.say(type="join", token=token or await self.token(who), page=page)
        await wire.told("joined")
        await wire.told("consent")
        return wire

    async def pair(self) -> tuple[Wire, Wire]:
        """Mentor and student, each knowing of the other."""
        mentor = await self.join("mentor", "m")
        student = await self.join("student", "s")
        assert (await mentor.told("other"))["page"] == "s"
        assert (await student.told("other"))["page"] == "m"
        return mentor, student

    async def visits(self, who: str) -> list[Any]:
        """Somebody's stays, the earliest first."""
        return await self.desk.sql(  # type: ignore[no-any-return]
            "select id, joined_at, seen_at, left_at from session_visits where user_id = :id order by id",
            id=self.desk.cast[who],
        )

    async def move_to(self, start: datetime) -> None:
        """Let the session begin at another time, as nobody could book it."""
        await move(self.desk, self.session.id, start)


async def move(desk: Desk, session_id: UUID, start: datetime) -> None:
    """Let a session of an hour begin at any time."""
    await desk.sql(
        "update sessions set scheduled_at = :start, ends_at = :end, blocked = tstzrange(:start, :end) where id = :id",
        start=start,
        end=start + timedelta(hours=1),
        id=session_id,
    )


def just_begun() -> datetime:
    """The start of a session that is on."""
    return clock.now() - timedelta(minutes=10)
