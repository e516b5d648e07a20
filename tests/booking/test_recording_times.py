"""A link's time: the student hears of it, both are warned before it goes, and it goes; what is outdated says nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app.booking.recordings import LIFE
from app.booking.service import SessionFacts
from app.core import clock, outbox
from app.core.rls import ServiceDoor
from app.wiring import Platform
from jobs.events import EVENTS
from tests.booking.support import Desk
from tests.support.sandbox import RunningSandbox

DAY = timedelta(days=1)
LINK, OTHER = "https://example.com/recording", "https://example.com/other"
WORK = ("recording_ready", "recording_expiring_week", "recording_expiring_day")


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    """A session whose recording may be kept."""
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    await desk.agree(booked.id)
    return booked


async def work(platform: Platform, now: datetime, *, twice: bool = False) -> None:
    """Perform what is due about recordings, by several workers at once, each event perhaps once more."""
    about = sa.text(
        "update outbox set state = 'queued' where state = 'new' and available_at <= :now"
        " and (type = 'recording/expire' or payload ->> 'kind' like 'recording%') returning id"
    )
    with clock.standing_at(now):
        async with platform.database.service(ServiceDoor.JOB) as uow:
            due = list((await uow.session.execute(about, {"now": now})).scalars())
            await uow.commit()

        async def handle(event: outbox.Event) -> None:
            for _ in range(1 + twice):
                await EVENTS[event.type](platform, event)

        await asyncio.gather(*(outbox.perform(platform.database, event_id, handle) for event_id in due))


async def outcomes(desk: Desk) -> set[tuple[str, str, str | None]]:
    rows = await desk.sql(
        "select kind, recipient_id, state, reason from deliveries where kind = any(:kinds)", kinds=list(WORK)
    )
    names = {desk.cast[name]: name for name in ("student", "mentor")}
    return {(f"{row.kind}:{names[row.recipient_id]}", row.state, row.reason) for row in rows}


async def link(desk: Desk, booked: SessionFacts) -> str | None:
    return (await desk.session(booked.id)).recording_url  # type: ignore[no-any-return]


@pytest.mark.parametrize("twice", [False, True])
async def test_the_life_of_a_link(
    desk: Desk, booked: SessionFacts, mailing: Platform, sandbox: RunningSandbox, twice: bool
) -> None:
    start = clock.now().replace(microsecond=0)
    with clock.standing_at(start):
        await desk.keep(booked.id, LINK)
    await work(mailing, start, twice=twice)
    (ready,) = sandbox.control.mailbox()
    assert (ready["to"], LINK in ready["text"]) == ([desk.cast.email("student")], False)
    assert f"/sessions/{booked.id}" in ready["text"]
    for before in (7 * DAY, DAY):
        await work(mailing, start + LIFE - before, twice=twice)
        assert await link(desk, booked) == LINK
    await work(mailing, start + LIFE, twice=twice)
    assert await link(desk, booked) is None
    for who, number in (("student", 3), ("mentor", 2)):
        subjects = [mail["subject"] for mail in sandbox.control.mailbox(desk.cast.email(who))]
        assert len(subjects) == number
        assert subjects[-2].startswith("A week left for the recording")
        assert subjects[-1].startswith("1 day left for the recording")


async def test_a_newer_link_has_a_time_of_its_own(
    desk: Desk, booked: SessionFacts, mailing: Platform, sandbox: RunningSandbox
) -> None:
    start = clock.now()
    with clock.standing_at(start):
        await desk.keep(booked.id, LINK)
    await work(mailing, start)
    with clock.standing_at(start + 20 * DAY):
        await desk.keep(booked.id, OTHER)
    for at in (20, 23, 29, 30, 35, 43, 49):
        await work(mailing, start + at * DAY)
        assert await link(desk, booked) == OTHER
    await work(mailing, start + 50 * DAY, twice=True)
    assert await link(desk, booked) is None
    assert len(sandbox.control.mailbox(desk.cast.email("student"))) == 4
    assert len(sandbox.control.mailbox(desk.cast.email("mentor"))) == 2
    skipped = {outcome for outcome in await outcomes(desk) if outcome[1] == "skipped"}
    assert skipped == {
        (f"{kind}:{who}", "skipped", "outdated") for kind in WORK[1:] for who in ("student", "mentor")
    }


@pytest.mark.parametrize("gone", ["taken back", "removed"])
async def test_of_a_link_that_is_gone_nobody_hears(
    desk: Desk, booked: SessionFacts, mailing: Platform, sandbox: RunningSandbox, gone: str
) -> None:
    start = clock.now()
    with clock.standing_at(start):
        await desk.keep(booked.id, LINK)
        await (
            desk.agree(booked.id, "student", agrees=False)
            if gone == "taken back"
            else desk.keep(booked.id, None)
        )
    for at in (0, 23, 29, 30):
        await work(mailing, start + at * DAY)
    assert sandbox.control.mailbox() == []
    assert {state for _, state, _ in await outcomes(desk)} == {"skipped"}


async def test_after_downtime_the_link_goes_and_no_warning_comes_too_late(
    desk: Desk, booked: SessionFacts, mailing: Platform, sandbox: RunningSandbox
) -> None:
    start = clock.now()
    with clock.standing_at(start):
        await desk.keep(booked.id, LINK)
    await work(mailing, start + LIFE + DAY)
    assert await link(desk, booked) is None
    assert all("left for the recording" not in mail["subject"] for mail in sandbox.control.mailbox())


async def test_a_link_that_is_renewed_while_the_old_one_is_removed_stays(
    desk: Desk, booked: SessionFacts, mailing: Platform
) -> None:
    """Whoever comes first: the new link is there in the end."""
    start = clock.now()
    with clock.standing_at(start):
        await desk.keep(booked.id, LINK)
    with clock.standing_at(start + LIFE):
        await asyncio.gather(work(mailing, start + LIFE), desk.keep(booked.id, OTHER))
    assert await link(desk, booked) == OTHER
