"""Many at once, on many connections: constraints and locks decide, and nobody waits for a deadlock."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import count, pairwise
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.booking.models import SessionStatus
from app.booking.service import Booked, BookingRefused
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.packs import seats
from app.settings import Settings
from tests.booking.support import Desk, refused

HOUR = timedelta(hours=1)


@pytest.fixture
async def crowd(settings: Settings, desk: Desk):  # type: ignore[no-untyped-def]
    """A desk with forty connections."""
    database = Database(replace(settings, database_pool_size=20))
    yield replace(desk, database=database)
    await database.dispose()


async def outcomes(attempts: Iterable[Awaitable[object]]) -> Counter[str]:
    """How often each refusal code, or `ok`, came out; anything else fails the test."""
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, BookingRefused):
            raise answer
    return Counter(answer.code if isinstance(answer, BookingRefused) else "ok" for answer in answers)


async def crowd_of(desk: Desk, count: int) -> list[UUID]:
    return [await desk.student(number) for number in range(count)]


async def test_a_hundred_students_and_one_slot(crowd: Desk) -> None:
    students = await crowd_of(crowd, 100)
    start = (await crowd.offers(students[0]))[0]
    began = time.monotonic()
    assert await outcomes(crowd.book(id_, start) for id_ in students) == {"ok": 1, "slot_taken": 99}
    assert time.monotonic() - began < 20
    assert len(await crowd.scheduled()) == 1
    assert len(await crowd.events("notification/send")) == 1


async def test_overlapping_slots_never_both(crowd: Desk) -> None:
    students = await crowd_of(crowd, 30)
    offers = await crowd.offers(students[0])
    runs = zip(offers, offers[1:], offers[2:], strict=False)
    neighbours = next(run for run in runs if run[2] - run[0] == HOUR)
    wishes = neighbours * 10
    found = await outcomes(crowd.book(id_, at) for id_, at in zip(students, wishes, strict=True))
    assert found["ok"] + found["slot_taken"] == 30
    spans = sorted((row.blocked.lower, row.blocked.upper) for row in await crowd.scheduled())
    assert len(spans) == found["ok"] >= 1
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


async def test_one_credit_and_ten_slots(crowd: Desk) -> None:
    student = await crowd.student(sessions=1)
    offers = (await crowd.offers(student))[::2][:10]
    found = await outcomes(crowd.book(student, start) for start in offers)
    assert found == {"ok": 1, "no_credit": 9}
    assert len(await crowd.scheduled()) == 1


async def test_a_double_click_books_once(crowd: Desk) -> None:
    start = (await crowd.offers("student"))[0]
    answers = await asyncio.gather(*(crowd.book("student", start, key="click") for _ in range(10)))
    assert {answer.session.id for answer in answers} == {answers[0].session.id}
    assert len(await crowd.scheduled()) == 1


async def test_ten_identical_wishes_without_a_key_are_one_session(crowd: Desk) -> None:
    start = (await crowd.offers("student"))[0]
    answers: list[Booked] = list(await asyncio.gather(*(crowd.book("student", start) for _ in range(10))))
    assert Counter(answer.created for answer in answers) == {True: 1, False: 9}
    assert len({answer.session.id for answer in answers}) == 1


async def test_one_key_for_two_wishes_serves_one(crowd: Desk) -> None:
    offers = await crowd.offers("student")
    found = await outcomes(crowd.book("student", start, key="k") for start in (offers[0], offers[4]) * 3)
    assert found == {"ok": 3, "idempotency_mismatch": 3}
    assert len(await crowd.scheduled()) == 1


async def test_one_student_two_mentors_the_same_hour(crowd: Desk) -> None:
    await crowd.sql(
        "update mentors set time_zone = 'UTC', working_hours ="
        " (select jsonb_object_agg(day, cast('[[540, 1080]]' as jsonb)) from generate_series(1, 7) day)"
    )
    await crowd.grant("student", mentor="other_mentor", sessions=4)
    offers = (await crowd.offers("student"))[::2][:4]
    found = await outcomes(
        crowd.book("student", start, mentor=mentor)
        for start in offers
        for mentor in ("mentor", "other_mentor")
    )
    assert found == {"ok": 4, "own_session": 4}
    assert len({row.scheduled_at for row in await crowd.scheduled()}) == 4


async def test_moves_and_bookings_race_for_one_slot(crowd: Desk) -> None:
    students = await crowd_of(crowd, 12)
    offers = (await crowd.offers(students[0]))[::2]
    goal, homes = offers[0], offers[1:7]
    sessions = [(await crowd.book(id_, at)).session for id_, at in zip(students[:6], homes, strict=True)]
    moves = [crowd.move(id_, s.id, goal) for id_, s in zip(students[:6], sessions, strict=True)]
    books = [crowd.book(id_, goal) for id_ in students[6:]]
    assert await outcomes([*moves, *books]) == {"ok": 1, "slot_taken": 11}
    assert [row.scheduled_at for row in await crowd.scheduled()].count(goal) == 1


async def test_two_students_swap_only_into_free_times(crowd: Desk) -> None:
    first, second = await crowd_of(crowd, 2)
    offers = (await crowd.offers(first))[::2]
    mine = (await crowd.book(first, offers[0])).session
    theirs = (await crowd.book(second, offers[1])).session
    found = await outcomes([crowd.move(first, mine.id, offers[1]), crowd.move(second, theirs.id, offers[0])])
    assert found == {"slot_taken": 2}


async def test_student_and_mentor_cancel_at_once(crowd: Desk) -> None:
    start = (await crowd.offers("student"))[0]
    booked = (await crowd.book("student", start)).session
    with clock.standing_at(start - timedelta(hours=3)):
        found = await outcomes(crowd.cancel(who, booked.id) for who in ("student", "mentor") * 3)
    assert found == {"ok": 1, "not_scheduled": 5}
    pack = await crowd.pack(booked.pack_id)
    assert (pack.remaining_sessions in (3, 4), pack.scheduled_sessions) == (True, 0)
    assert [event["kind"] for event in await crowd.events("notification/send")].count("session_canceled") == 1


async def test_marks_at_once_use_one_credit(crowd: Desk) -> None:
    start = (await crowd.offers("student"))[0]
    booked = (await crowd.book("student", start)).session
    wishes = (SessionStatus.COMPLETED, SessionStatus.NO_SHOW, SessionStatus.SCHEDULED)
    with clock.standing_at(start):
        await outcomes(crowd.mark("mentor", booked.id, wishes[number % 3]) for number in range(12))
    row, pack = await crowd.session(booked.id), await crowd.pack(booked.pack_id)
    scheduled = row.status is SessionStatus.SCHEDULED
    assert (pack.remaining_sessions, pack.scheduled_sessions) == ((4, 1) if scheduled else (3, 0))
    ledger = await crowd.sql("select sum(delta) from pack_entries where pack_id = :id", id=booked.pack_id)
    assert ledger == [(pack.remaining_sessions,)]


async def test_an_undo_and_a_booking_race_for_the_time(crowd: Desk) -> None:
    start = (await crowd.offers("student"))[0]
    booked = (await crowd.book("student", start)).session
    await crowd.cancel("student", booked.id)
    other = await crowd.student()
    found = await outcomes(
        [crowd.book(other, start), crowd.mark("mentor", booked.id, SessionStatus.SCHEDULED)]
    )
    assert found in ({"ok": 1, "slot_taken": 1}, {"ok": 1, "cannot_undo": 1})


async def test_a_pack_frozen_meanwhile_pays_nothing(crowd: Desk) -> None:
    start = (await crowd.offers("student"))[0]
    async with crowd.database.service(ServiceDoor.JOB) as uow:
        await seats.lock_pair(uow, crowd.cast["mentor"], crowd.cast["student"])
        await uow.session.execute(sa.text("update session_packs set frozen = true"))
        booking = asyncio.create_task(crowd.book("student", start))
        await wait_for_lock(crowd)
        await uow.commit()
    await refused("pack_not_active", booking)


async def wait_for_lock(desk: Desk) -> None:
    """Return once some connection waits for another's lock."""
    async with asyncio.timeout(10):
        for _ in count():
            if await desk.sql("select 1 from pg_locks where not granted"):
                return
            await asyncio.sleep(0.01)
