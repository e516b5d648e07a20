"""Proposals answered, replaced, overtaken and withdrawn at the same moment, on many connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest

from app.booking.models import SessionStatus
from app.booking.service import BookingRefused, SessionFacts
from app.core.db import Database
from app.settings import Settings
from tests.booking.support import Desk
from tests.booking.test_proposals import ProposalDesk
from tests.booking.test_races import outcomes

ROUNDS = 4


@pytest.fixture
async def asked(settings: Settings, desk: Desk):  # type: ignore[no-untyped-def]
    """A desk with twenty connections."""
    database = Database(replace(settings, database_pool_size=20))
    yield ProposalDesk(replace(desk, database=database))
    await database.dispose()


@pytest.fixture
async def offers(desk: Desk) -> list[datetime]:
    """Times two hours apart or more."""
    return (await desk.offers("student"))[::4]


async def booked(asked: ProposalDesk, start: datetime) -> SessionFacts:
    student = await asked.desk.student()
    return (await asked.desk.book(student, start)).session


async def test_accepted_by_ten_clicks_it_moves_once(asked: ProposalDesk, offers: list[datetime]) -> None:
    session = await booked(asked, offers[0])
    proposal_id = await asked.propose(session.id, offers[1])
    clicks = (asked.accept(session.id, proposal_id, session.student_id) for _ in range(10))
    assert await outcomes(clicks) == {"ok": 10}
    row = await asked.desk.session(session.id)
    assert (row.scheduled_at, row.version, len(await asked.told("session_moved"))) == (offers[1], 1, 1)
    assert await asked.states() == ["accepted"]


async def test_the_slot_goes_to_one_who_accepts_or_books(asked: ProposalDesk, offers: list[datetime]) -> None:
    for number in range(ROUNDS):
        home, goal = offers[2 * number], offers[2 * number + 1]
        session = await booked(asked, home)
        proposal_id = await asked.propose(session.id, goal)
        other = await asked.desk.student()
        found = await outcomes(
            [asked.accept(session.id, proposal_id, session.student_id), asked.desk.book(other, goal)]
        )
        assert found == {"ok": 1, "slot_taken": 1}
        start = (await asked.desk.session(session.id)).scheduled_at
        assert (start, (await asked.states())[-1]) in ((goal, "accepted"), (home, "open"))


async def test_accepted_while_its_mentor_cancels(asked: ProposalDesk, offers: list[datetime]) -> None:
    for number in range(ROUNDS):
        session = await booked(asked, offers[2 * number])
        proposal_id = await asked.propose(session.id, offers[2 * number + 1])
        found = await outcomes(
            [
                asked.accept(session.id, proposal_id, session.student_id),
                asked.desk.cancel("mentor", session.id),
            ]
        )
        assert found["ok"] >= 1
        assert set(found) <= {"ok", "proposal_closed"}
        assert (await asked.desk.session(session.id)).status is SessionStatus.CANCELED
        accepted = found == {"ok": 2}
        assert (await asked.states())[-1] == ("accepted" if accepted else "withdrawn")
        pack = await asked.desk.pack(session.pack_id)
        assert (pack.remaining_sessions, pack.scheduled_sessions) == (1, 0)


async def test_many_proposals_at_once_leave_one_open(asked: ProposalDesk, offers: list[datetime]) -> None:
    session = await booked(asked, offers[0])
    made = await asyncio.gather(*(asked.propose(session.id, start) for start in offers[1:5] * 2))
    assert Counter(await asked.states())["open"] == 1
    assert len(await asked.states()) == len(set(made)) == len(await asked.told("move_proposed"))


async def test_accepted_while_it_is_replaced_or_taken_back(
    asked: ProposalDesk, offers: list[datetime]
) -> None:
    for number in range(ROUNDS):
        home, goal, instead = offers[3 * number : 3 * number + 3]
        session = await booked(asked, home)
        proposal_id = await asked.propose(session.id, goal)
        mentor = asked.propose(session.id, instead) if number % 2 else asked.withdraw(session.id)
        moved, _ = await asyncio.gather(
            asked.accept(session.id, proposal_id, session.student_id), mentor, return_exceptions=True
        )
        there = (await asked.desk.session(session.id)).scheduled_at
        if isinstance(moved, BaseException):
            assert isinstance(moved, BookingRefused)
            assert (moved.code, there) == ("proposal_closed", home)
        else:
            assert there == goal


async def test_accepted_and_declined_at_once_one_of_them_holds(
    asked: ProposalDesk, offers: list[datetime]
) -> None:
    for number in range(ROUNDS):
        session = await booked(asked, offers[2 * number])
        proposal_id = await asked.propose(session.id, offers[2 * number + 1])
        who = session.student_id
        found = await outcomes(
            [asked.accept(session.id, proposal_id, who), asked.decline(session.id, proposal_id, who)]
        )
        assert found == {"ok": 1, "proposal_closed": 1}
        moved = (await asked.desk.session(session.id)).scheduled_at != session.start
        assert (await asked.states())[-1] == ("accepted" if moved else "declined")
