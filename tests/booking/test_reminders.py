"""Reminders a day and an hour before a session: for both people, of the start it has, never of one it hasn't any more."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.booking.models import SessionStatus
from app.booking.service import SessionFacts, book_series
from app.core import clock
from app.core.rls import ServiceDoor
from app.notifications.kinds import Anchor
from app.notifications.mailer import Mailer
from app.settings import Settings
from app.wiring import Platform
from jobs.events import ANCHORED
from tests.booking.reminding import HOUR, Crew
from tests.booking.support import Desk
from tests.support.sandbox import RunningSandbox

DAY = 24 * HOUR
MINUTE = timedelta(minutes=1)
DAY_BEFORE, HOUR_BEFORE = "session_reminder_day", "session_reminder_hour"
SENT, OUTDATED, LATE = ("sent", None), ("skipped", "outdated"), ("skipped", "late")


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    """In three days or more, so that both reminders are ahead."""
    return (await desk.book("student", await far(desk))).session


async def far(desk: Desk, skip: int = 0) -> datetime:
    return [at for at in await desk.offers("student") if at > clock.now() + 3 * DAY][skip * 2]


@pytest.fixture
def crew(mailing: Platform) -> Crew:
    return Crew(mailing, random.Random(5))


async def waiting(desk: Desk, session_id: UUID) -> list[tuple[str, int, datetime]]:
    return [(row.kind, row.version, row.due) for row in await desk.reminders(session_id)]


async def work_at(crew: Crew, now: datetime) -> dict[tuple[int, str], tuple[str, str | None]]:
    """Work at that time; what became of all reminders so far, the same for both people."""
    with clock.standing_at(now):
        await crew.work()
    found: dict[tuple[int, str], set[tuple[str, str | None]]] = {}
    for (_, version, kind, _), outcome in (await crew.outcomes()).items():
        found.setdefault((version, kind), set()).add(outcome)
    return {key: outcomes.pop() for key, outcomes in found.items() if len(outcomes) == 1}


async def cancel_at(desk: Desk, session: SessionFacts, now: datetime, who: str = "student") -> None:
    with clock.standing_at(now):
        await desk.cancel(who, session.id)


async def test_a_booking_has_both_reminded_a_day_and_an_hour_before(
    desk: Desk, booked: SessionFacts, crew: Crew, sandbox: RunningSandbox
) -> None:
    assert await waiting(desk, booked.id) == [
        (DAY_BEFORE, 0, booked.start - DAY),
        (HOUR_BEFORE, 0, booked.start - HOUR),
    ]
    assert await work_at(crew, booked.start - DAY) == {(0, DAY_BEFORE): SENT}
    assert await work_at(crew, booked.start - HOUR) == {(0, DAY_BEFORE): SENT, (0, HOUR_BEFORE): SENT}
    for who in ("student", "mentor"):
        tomorrow, soon = (mail["subject"] for mail in sandbox.control.mailbox(desk.cast.email(who)))
        assert tomorrow.startswith(("Tomorrow with ", "Soon with "))
        assert soon.startswith("In an hour with ")


@pytest.mark.parametrize(
    ("before", "kinds"),
    [
        (DAY + MINUTE, [DAY_BEFORE, HOUR_BEFORE]),
        (DAY, [HOUR_BEFORE]),
        (HOUR + MINUTE, [HOUR_BEFORE]),
        (HOUR, []),
    ],
)
async def test_what_was_due_before_the_booking_is_left_out(
    desk: Desk, before: timedelta, kinds: list[str]
) -> None:
    await desk.sql("update mentors set notice_minutes = 0")
    start = await far(desk)
    with clock.standing_at(start - before):
        session = (await desk.book("student", start)).session
    assert [row.kind for row in await desk.reminders(session.id)] == kinds


async def test_a_series_is_reminded_of_session_by_session(desk: Desk) -> None:
    starts = [await far(desk, number) for number in range(3)]
    async with desk.database.unit_of_work(desk.principal("student")) as uow:
        series = await book_series(
            uow, desk.database, desk.google, mentor_id=desk.cast["mentor"], starts=starts
        )
    for session in series.sessions:
        assert [row.due for row in await desk.reminders(session.id)] == [
            session.start - DAY,
            session.start - HOUR,
        ]


async def test_a_moved_session_has_new_ones(desk: Desk, booked: SessionFacts, crew: Crew) -> None:
    goal = await far(desk, 20)
    await desk.move("student", booked.id, goal)
    ends = await work_at(crew, goal - HOUR)
    assert ends == {
        (0, DAY_BEFORE): OUTDATED,
        (0, HOUR_BEFORE): OUTDATED,
        (1, DAY_BEFORE): LATE,
        (1, HOUR_BEFORE): SENT,
    }


async def test_moved_away_and_back_is_reminded_of_once(
    desk: Desk, booked: SessionFacts, crew: Crew, sandbox: RunningSandbox
) -> None:
    await desk.move("student", booked.id, await far(desk, 20))
    await desk.move("student", booked.id, booked.start)
    assert await work_at(crew, booked.start - DAY) == {(0, DAY_BEFORE): OUTDATED, (2, DAY_BEFORE): SENT}
    assert len(sandbox.control.mailbox()) == 2


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_a_canceled_session_is_not_reminded_of(
    desk: Desk, booked: SessionFacts, crew: Crew, sandbox: RunningSandbox, who: str
) -> None:
    assert await work_at(crew, booked.start - DAY) == {(0, DAY_BEFORE): SENT}
    await cancel_at(desk, booked, booked.start - 2 * HOUR, who)
    assert (await work_at(crew, booked.start - HOUR))[0, HOUR_BEFORE] == OUTDATED
    assert len(sandbox.control.mailbox()) == 2


async def test_brought_back_it_is_reminded_of_again(desk: Desk, booked: SessionFacts, crew: Crew) -> None:
    await cancel_at(desk, booked, booked.start - DAY - MINUTE, "mentor")
    with clock.standing_at(booked.start - DAY + MINUTE):
        await desk.mark("mentor", booked.id, SessionStatus.SCHEDULED)
    assert await work_at(crew, booked.start - HOUR) == {
        (0, DAY_BEFORE): OUTDATED,
        (0, HOUR_BEFORE): OUTDATED,
        (2, HOUR_BEFORE): SENT,
    }


async def test_a_time_that_was_kept_is_still_reminded_of(
    desk: Desk, booked: SessionFacts, crew: Crew
) -> None:
    """The mentor moved the event in Google and took that back: the session's start was never another."""
    await desk.sql("update sessions set conflict = 'moved', event_sync = 'written'")
    with clock.standing_at(booked.start - DAY + MINUTE):
        await desk.mark("mentor", booked.id, SessionStatus.SCHEDULED)
    assert (await desk.session(booked.id)).version == 1
    assert await work_at(crew, booked.start - DAY + 2 * MINUTE) == {(0, DAY_BEFORE): SENT}


@pytest.mark.parametrize("status", [SessionStatus.COMPLETED, SessionStatus.NO_SHOW])
async def test_after_the_start_nobody_is_reminded(
    desk: Desk, booked: SessionFacts, crew: Crew, status: SessionStatus
) -> None:
    assert await work_at(crew, booked.start - DAY) == {(0, DAY_BEFORE): SENT}
    with clock.standing_at(booked.start):
        await desk.mark("mentor", booked.id, status)
    assert (await work_at(crew, booked.end))[0, HOUR_BEFORE] == OUTDATED


async def test_late_after_downtime(desk: Desk, booked: SessionFacts, crew: Crew) -> None:
    """The day's is of use until the hour's is due, the hour's until the start."""
    assert await work_at(crew, booked.start - HOUR - MINUTE) == {(0, DAY_BEFORE): SENT}
    assert (await work_at(crew, booked.start))[0, HOUR_BEFORE] == LATE


async def test_both_too_late(desk: Desk, booked: SessionFacts, crew: Crew) -> None:
    assert await work_at(crew, booked.start - HOUR) == {(0, DAY_BEFORE): LATE, (0, HOUR_BEFORE): SENT}


async def test_who_left_is_not_written_to(desk: Desk, booked: SessionFacts, crew: Crew) -> None:
    await desk.sql("update users set deleted_at = now() where id = :id", id=desk.cast["student"])
    await work_at(crew, booked.start - DAY)
    assert {who for *_, who in await crew.outcomes()} == {desk.cast["mentor"]}


async def words(
    desk: Desk, settings: Settings, session: SessionFacts, now: datetime
) -> list[Mapping[str, Any]]:
    """The day's reminder as composed at `now`, the student's first."""
    payload = next(row.payload for row in await desk.reminders(session.id) if row.kind == DAY_BEFORE)
    with clock.standing_at(now):
        async with desk.database.service(ServiceDoor.JOB) as uow:
            messages = await ANCHORED[Anchor.SESSION](uow, settings, payload)
        mailer = Mailer.of(settings)
        return [mailer.compose(DAY_BEFORE, message.address, message.context) for message in messages]


@pytest.mark.parametrize(
    ("start", "hours_before", "student", "mentor"),
    [
        # 24 hours before, where a day has 25: New York's clocks go back on 1 November, Lisbon's on 25 October.
        (datetime(2026, 11, 1, 14, 0, tzinfo=UTC), 24, "Tomorrow, 09:00", "Tomorrow, 14:00"),
        (datetime(2026, 10, 25, 12, 0, tzinfo=UTC), 24, "Tomorrow, 08:00", "Tomorrow, 12:00"),
        # A day of 23 hours lies between: Saturday 23:30 to Monday 00:30.
        (datetime(2027, 3, 28, 23, 30, tzinfo=UTC), 24, "Tomorrow, 19:30", "Soon, 00:30"),
        # Sent late it is the same day, in one zone.
        (datetime(2026, 11, 24, 4, 30, tzinfo=UTC), 3, "Today, 23:30", "Today, 04:30"),
        (datetime(2026, 11, 24, 3, 0, tzinfo=UTC), 4, "Today, 22:00", "Tomorrow, 03:00"),
    ],
)
async def test_days_and_times_are_each_readers_own(
    desk: Desk,
    settings: Settings,
    start: datetime,
    hours_before: int,
    student: str,
    mentor: str,
) -> None:
    week_before = start - 7 * DAY
    await desk.sql("update mentors set working_hours = null, notice_minutes = 0")
    await desk.sql(
        "update mentors set working_hours ="
        " (select jsonb_object_agg(day, cast('[[0, 1440]]' as jsonb)) from generate_series(1, 7) day)"
    )
    await desk.sql(
        "update session_packs set purchased_at = :at, expires_at = :until",
        at=week_before,
        until=start + 7 * DAY,
    )
    with clock.standing_at(week_before):
        session = (await desk.book("student", start)).session
    assert (await waiting(desk, session.id))[0] == (DAY_BEFORE, 0, start - DAY)
    mails = await words(desk, settings, session, start - hours_before * HOUR)
    for mail, expected, zone in zip(
        mails, (student, mentor), ("America/New_York", "Europe/Lisbon"), strict=True
    ):
        day, _, time = expected.partition(", ")
        assert mail["subject"].startswith(f"{day} with ")
        assert mail["subject"].endswith(f", {time} ({zone})")
        assert f"/sessions/{session.id}" in mail["text"]


async def test_put_off_and_canceled_meanwhile_it_is_not_sent(
    desk: Desk, booked: SessionFacts, crew: Crew, sandbox: RunningSandbox
) -> None:
    sandbox.control.chaos("resend", error_rate=1, status=429)
    assert await work_at(crew, booked.start - DAY) == {(0, DAY_BEFORE): ("pending", None)}
    await cancel_at(desk, booked, booked.start - DAY + MINUTE)
    sandbox.control.chaos()
    assert await work_at(crew, booked.start - DAY + HOUR) == {(0, DAY_BEFORE): OUTDATED}
    assert sandbox.control.mailbox() == []


async def test_put_off_for_too_long_it_is_not_sent(
    booked: SessionFacts, crew: Crew, sandbox: RunningSandbox
) -> None:
    sandbox.control.chaos("resend", error_rate=1, status=429)
    await work_at(crew, booked.start - HOUR - MINUTE)
    sandbox.control.chaos()
    ends = await work_at(crew, booked.start - MINUTE)
    assert ends == {(0, DAY_BEFORE): LATE, (0, HOUR_BEFORE): SENT}


async def test_nobody_knows_whether_it_was_sent_and_then_it_was_canceled(
    desk: Desk, booked: SessionFacts, crew: Crew, sandbox: RunningSandbox
) -> None:
    """Sending it again would make sure, and could tell somebody of a session that isn't."""
    sandbox.control.chaos("resend", error_rate=1, status=500)
    assert await work_at(crew, booked.start - DAY) == {(0, DAY_BEFORE): ("sending", None)}
    await cancel_at(desk, booked, booked.start - DAY + MINUTE)
    sandbox.control.chaos()
    assert await work_at(crew, booked.start - DAY + HOUR) == {(0, DAY_BEFORE): ("uncertain", "outdated")}
    assert sandbox.control.mailbox() == []


async def test_put_off_and_still_so_it_is_sent_once(
    booked: SessionFacts, crew: Crew, sandbox: RunningSandbox
) -> None:
    sandbox.control.chaos("resend", error_rate=1, status=500)
    await work_at(crew, booked.start - DAY)
    sandbox.control.chaos()
    assert await work_at(crew, booked.start - DAY + HOUR) == {(0, DAY_BEFORE): SENT}
    assert len(sandbox.control.mailbox()) == 2


async def test_a_cancellation_at_the_moment_of_sending(
    desk: Desk, crew: Crew, sandbox: RunningSandbox
) -> None:
    """Whoever is faster: each is reminded or not, and nobody ever again.

    A worker that comes second takes the mail back that the first had not sent yet: then one of two is reminded.
    """
    ends: Counter[tuple[str, str | None]] = Counter()
    await desk.grant("student", sessions=20)
    for number in range(8):
        session = (await desk.book("student", await far(desk))).session
        with clock.standing_at(session.start - DAY):
            tempo = [asyncio.create_task(crew.work()), asyncio.create_task(cancel_in(desk, session, number))]
            await asyncio.gather(*tempo)
        await work_at(crew, session.start)
        mine = {key: end for key, end in (await crew.outcomes()).items() if key[0] == session.id}
        assert len(mine) == 4
        assert {end for key, end in mine.items() if key[2] == HOUR_BEFORE} == {OUTDATED}
        ends.update(end for key, end in mine.items() if key[2] == DAY_BEFORE)
    assert set(ends) <= {SENT, OUTDATED}
    assert len(sandbox.control.mailbox()) == ends[SENT]


async def cancel_in(desk: Desk, session: SessionFacts, turns: int) -> None:
    """Cancel after a few turns of the loop: another moment each time."""
    for _ in range(turns * 3):
        await asyncio.sleep(0)
    await desk.cancel("student", session.id)


async def test_a_move_at_the_moment_of_sending(desk: Desk, crew: Crew) -> None:
    session = (await desk.book("student", await far(desk))).session
    goal = await far(desk, 20)
    await desk.sql(
        "insert into move_proposals (id, session_id, mentor_id, student_id, starts_at, status, created_at)"
        " select gen_random_uuid(), id, mentor_id, student_id, :goal, 'open', now() from sessions",
        goal=goal,
    )
    with clock.standing_at(session.start - DAY):
        await asyncio.gather(crew.work(), desk.move("student", session.id, goal))
    ends = await work_at(crew, goal - DAY)
    assert ends.pop((0, DAY_BEFORE)) in (SENT, OUTDATED)
    assert ends == {(0, HOUR_BEFORE): OUTDATED, (1, DAY_BEFORE): SENT}
