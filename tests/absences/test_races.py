"""Going away while others book, move, accept and cancel: whoever comes first is seen by whoever comes second."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.absences.service import Changed
from app.booking.models import SessionStatus
from app.booking.service import BookingRefused
from app.core.db import Database
from app.core.errors import Invalid
from app.settings import Settings
from tests.absences.support import ZONE, AwayDesk, at, shown

ROUNDS = 5


@pytest.fixture
async def crowd(settings: Settings, away: AwayDesk):  # type: ignore[no-untyped-def]
    """The same with twenty connections."""
    database = Database(replace(settings, database_pool_size=20))
    yield AwayDesk(replace(away.desk, database=database))
    await database.dispose()


async def test_nobody_gets_a_session_on_the_days_unseen(crowd: AwayDesk) -> None:
    """Four students book on the days while their mentor goes away: each session was seen, or was refused."""
    students = [await crowd.desk.student(number, sessions=ROUNDS) for number in range(4)]
    for number in range(ROUNDS):
        days = crowd.days(7 + 7 * number)
        span = days.span(ZONE)
        assert span is not None
        offers = [
            start for start in await crowd.desk.offers(students[0], days=60) if start.timestamp() >= span[0]
        ]
        looked = shown(await crowd.preview(days))
        bookings = [crowd.desk.book(who, offers[2 * index]) for index, who in enumerate(students)]
        *booked, gone = await asyncio.gather(
            *bookings, crowd.confirm(days, seen=looked), return_exceptions=True
        )
        there = [one for one in booked if not isinstance(one, BaseException)]
        assert all(isinstance(one, BookingRefused) for one in booked if isinstance(one, BaseException))
        if isinstance(gone, Changed):
            assert len(await crowd.absences()) == number
            await crowd.confirm(days)
        else:
            assert not isinstance(gone, BaseException)
            assert there == []
        assert len(await crowd.absences()) == number + 1
    assert len({session_id for session_id, _, _ in await crowd.proposals()}) == len(await crowd.proposals())


async def test_two_clicks_are_one_absence(crowd: AwayDesk) -> None:
    days = crowd.days()
    await crowd.booked_on(days)
    looked = shown(await crowd.preview(days))
    answers = await asyncio.gather(
        *(crowd.confirm(days, extend=True, seen=looked) for _ in range(6)), return_exceptions=True
    )
    assert sum(isinstance(answer, Invalid) for answer in answers) == 5
    assert (
        len(await crowd.absences())
        == len(await crowd.proposals())
        == len(await crowd.told("mentor_away"))
        == 1
    )


async def test_canceled_by_its_student_or_proposed_never_both(crowd: AwayDesk) -> None:
    students = [await crowd.desk.student(number) for number in range(ROUNDS)]
    for number, who in enumerate(students):
        days = crowd.days(7 * (number + 1))
        booked = await crowd.booked_on(days, who)
        looked = shown(await crowd.preview(days))
        canceled, gone = await asyncio.gather(
            crowd.desk.cancel(who, booked.id), crowd.confirm(days, seen=looked), return_exceptions=True
        )
        assert not isinstance(canceled, BaseException)
        assert not isinstance(gone, BaseException) or isinstance(gone, Changed)
        assert (await crowd.desk.session(booked.id)).status is SessionStatus.CANCELED
        states = [status for id_, _, status in await crowd.proposals() if id_ == booked.id]
        assert states == ([] if isinstance(gone, Changed) else ["withdrawn"])


async def test_taken_back_while_somebody_accepts(crowd: AwayDesk) -> None:
    students = [await crowd.desk.student(number) for number in range(3)]
    for number, who in enumerate(students):
        days = crowd.days(7 + 14 * number)  # whoever moves lands in the week between
        booked = await crowd.booked_on(days, who)
        done = await crowd.confirm(days)
        start = at(done.planned[0].choice)  # type: ignore[arg-type]
        absence = (await crowd.absences())[-1]
        moved, ended = await asyncio.gather(
            crowd.desk.move(who, booked.id, start), crowd.end(absence.id), return_exceptions=True
        )
        assert not isinstance(ended, BaseException)
        assert not isinstance(moved, BaseException)
        state = next(status for id_, _, status in await crowd.proposals() if id_ == booked.id)
        told = [one for one in await crowd.told("mentor_back") if one["absence_id"] == str(absence.id)]
        assert (state, len(told)) in (("accepted", 0), ("withdrawn", 1))
