"""A series is booked whole or not at all: by the rules, under failures, and against everybody else at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from app.booking import repository, service
from app.booking.notices import NOTICES
from app.booking.service import BookedSeries, BookingRefused, Idempotency
from app.core import clock
from app.core.db import Database
from app.core.errors import BadRequest
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests.booking.support import WEEK, Desk, refused

pytestmark = pytest.mark.usefixtures("long_packs")


@pytest.fixture
async def long_packs(desk: Desk) -> None:
    """Six weeks fit, whatever day it is."""
    await desk.sql("update session_packs set expires_at = now() + interval '90 days'")


@pytest.fixture
async def crowd(settings: Settings, desk: Desk):  # type: ignore[no-untyped-def]
    """A desk with forty connections."""
    database = Database(replace(settings, database_pool_size=20))
    yield replace(desk, database=database)
    await database.dispose()


async def book(
    desk: Desk, who: str | UUID, starts: Iterable[datetime], key: str | None = None
) -> BookedSeries:
    async with desk.database.unit_of_work(desk.principal(who)) as uow:
        return await service.book_series(
            uow,
            desk.database,
            desk.google,
            mentor_id=desk.cast["mentor"],
            starts=list(starts),
            idempotency=Idempotency("test", key) if key else None,
        )


async def weekly(desk: Desk, count: int = 4) -> list[datetime]:
    """Starts on offer a week apart in UTC (the wall time is the business of the plan)."""
    offers = set(await desk.offers("student", days=56))
    for start in sorted(offers):
        series = [start + number * WEEK for number in range(count)]
        if offers.issuperset(series):
            return series
    raise AssertionError("no weekly time is free")


async def untouched(desk: Desk) -> bool:
    rows = await desk.sql("select scheduled_sessions from session_packs where scheduled_sessions > 0")
    return not (await desk.scheduled() or await desk.events() or rows)


async def outcomes(attempts: Sequence[Awaitable[object]]) -> Counter[str]:
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, BookingRefused):
            raise answer
    return Counter(answer.code if isinstance(answer, BookingRefused) else "ok" for answer in answers)


async def test_a_whole_pack(desk: Desk) -> None:
    starts = await weekly(desk)
    booked = await book(desk, "student", starts)
    assert booked.created
    assert [session.start for session in booked.sessions] == starts
    pack = await desk.pack(desk.cast.packs["student"])
    assert (pack.remaining_sessions, pack.scheduled_sessions) == (4, 4)
    (told,) = await desk.events("notification/send")
    assert told["kind"] == "series_booked"
    assert [one["session_id"] for one in told["sessions"]] == [str(one.id) for one in booked.sessions]
    assert await refused("no_credit", desk.book("student", starts[-1] + WEEK))


async def test_again_is_answered_with_the_same_sessions(desk: Desk) -> None:
    starts = await weekly(desk)
    first = await book(desk, "student", starts, key="k")
    assert (await book(desk, "student", starts, key="k")).sessions == first.sessions
    again = await book(desk, "student", reversed(starts))
    assert (again.created, again.sessions) == (False, first.sessions)
    await refused("idempotency_mismatch", book(desk, "student", starts[:2], key="k"))


@pytest.mark.parametrize("number", [0, 1, 3])
async def test_one_time_that_is_taken_books_nothing(desk: Desk, number: int) -> None:
    starts = await weekly(desk)
    await desk.book(await desk.student(), starts[number])
    await desk.sql("delete from outbox")
    error = await refused("slot_taken", book(desk, "student", starts))
    assert error.extra["start"] == starts[number].isoformat().replace("+00:00", "Z")
    assert len(await desk.scheduled()) == 1
    assert await desk.events() == []


async def test_more_than_the_credit_books_nothing(desk: Desk) -> None:
    await refused("no_credit", book(desk, "student", await weekly(desk, 5)))
    assert await untouched(desk)


async def test_each_session_is_spent_from_the_pack_that_expires_first(desk: Desk) -> None:
    starts = await weekly(desk)
    await desk.sql("update session_packs set expires_at = :at", at=starts[1] + timedelta(minutes=1))
    await refused("pack_expired", book(desk, "student", starts))
    assert await untouched(desk)
    later = await desk.grant("student", sessions=2, days=80)
    booked = await book(desk, "student", starts)
    first = desk.cast.packs["student"]
    assert [session.pack_id for session in booked.sessions] == [first, first, later, later]


async def test_what_overlaps_within_the_series_books_nothing(desk: Desk) -> None:
    starts = await weekly(desk, 2)
    found = await outcomes([book(desk, "student", [*starts, starts[0] + timedelta(minutes=30)])])
    assert found["ok"] == 0
    assert await untouched(desk)


async def test_no_times_and_too_many(desk: Desk) -> None:
    for starts in ([], [datetime(2027, 1, 1, tzinfo=UTC) + number * WEEK for number in range(61)]):
        with pytest.raises(BadRequest):
            await book(desk, "student", starts)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_a_failure_in_between_leaves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    add, calls = repository.add, []

    async def failing(session: Any, values: Any) -> None:
        calls.append(values["scheduled_at"])
        if len(calls) == number:
            raise ConnectionResetError("the wire was cut")
        await add(session, values)

    starts = await weekly(desk)
    with monkeypatch.context() as patched:
        patched.setattr(repository, "add", failing)
        with pytest.raises(ConnectionResetError):
            await book(desk, "student", starts, key="k")
    assert calls == starts[:number]
    assert await untouched(desk)
    assert (await book(desk, "student", starts, key="k")).created


async def test_twenty_students_and_one_series(crowd: Desk) -> None:
    students = [await crowd.student(number, sessions=4) for number in range(20)]
    starts = await weekly(crowd)
    found = await outcomes([book(crowd, id_, starts) for id_ in students])
    assert found == {"ok": 1, "slot_taken": 19}
    rows = await crowd.scheduled()
    assert {row.scheduled_at for row in rows} == set(starts)
    assert len({row.student_id for row in rows}) == 1
    assert len(rows) == 4
    assert len(await crowd.events("notification/send")) == 1


async def test_overlapping_series_are_each_whole_or_nothing(crowd: Desk) -> None:
    students = [await crowd.student(number, sessions=4) for number in range(6)]
    starts = await weekly(crowd, 6)
    wishes = [starts[shift : shift + 4] for shift in (0, 1, 2)] * 2
    found = await outcomes([book(crowd, id_, wish) for id_, wish in zip(students, wishes, strict=True)])
    assert found == {"ok": 1, "slot_taken": 5}
    assert len(await crowd.scheduled()) == 4


async def test_a_single_booking_takes_a_week_in_between(crowd: Desk) -> None:
    for number in range(4):
        whole, single = await crowd.student(sessions=4), await crowd.student(sessions=1)
        starts = await weekly(crowd)
        found = await outcomes([book(crowd, whole, starts), crowd.book(single, starts[number])])
        assert found == {"ok": 1, "slot_taken": 1}
        held = Counter(row.student_id for row in await crowd.scheduled() if row.scheduled_at in starts)
        assert held in ({whole: 4}, {single: 1})


async def test_a_double_click_books_once(crowd: Desk) -> None:
    starts = await weekly(crowd)
    keys = ["click"] * 5 + [None] * 5
    answers = await asyncio.gather(*(book(crowd, "student", starts, key=key) for key in keys))
    assert {tuple(one.id for one in answer.sessions) for answer in answers} == {
        tuple(one.id for one in answers[0].sessions)
    }
    assert len(await crowd.scheduled()) == 4
    assert len(await crowd.events("notification/send")) == 1


async def test_a_series_and_singles_of_the_same_student_never_exceed_the_credit(crowd: Desk) -> None:
    student = await crowd.student(sessions=4)
    starts = await weekly(crowd)
    singles = [start for start in await crowd.offers(student) if start not in starts][::2][:3]
    found = await outcomes([book(crowd, student, starts), *(crowd.book(student, start) for start in singles)])
    assert found["ok"] in (1, 3)
    assert len(await crowd.scheduled()) in (3, 4)


async def test_one_mail_each_with_every_date_in_one_file(desk: Desk, settings: Settings) -> None:
    starts = await weekly(desk)
    booked = await book(desk, "student", starts)
    (payload,) = await desk.events("notification/send")
    async with desk.database.service(ServiceDoor.JOB) as uow:
        messages = await NOTICES["series_booked"](uow, settings, payload)
    assert {message.recipient_id for message in messages} == {desk.cast["student"], desk.cast["mentor"]}
    for message in messages:
        (file,) = message.attachments
        calendar = Calendar.from_ical(file.content)
        events = calendar.walk("VEVENT")
        assert (str(calendar["METHOD"]), file.content_type.rpartition("=")[2]) == ("PUBLISH", "PUBLISH")
        assert [event["DTSTART"].dt for event in events] == starts
        assert [str(event["UID"]).partition("@")[0] for event in events] == [
            f"session-{one.id}" for one in booked.sessions
        ]
        assert {int(event["SEQUENCE"]) for event in events} == {0}
        assert all("ATTENDEE" not in event for event in events)


async def test_a_move_afterwards_has_the_same_uid_and_a_higher_sequence(
    desk: Desk, settings: Settings
) -> None:
    starts = await weekly(desk)
    booked = await book(desk, "student", starts)
    free = next(start for start in await desk.offers("student", days=40) if start > clock.now() + 2 * WEEK)
    await desk.move("student", booked.sessions[1].id, free)
    payload = (await desk.events("notification/send"))[-1]
    async with desk.database.service(ServiceDoor.JOB) as uow:
        message, _ = await NOTICES["session_moved"](uow, settings, payload)
    (event,) = Calendar.from_ical(message.attachments[0].content).walk("VEVENT")
    assert str(event["UID"]).startswith(f"session-{booked.sessions[1].id}@")
    assert int(event["SEQUENCE"]) == 1
