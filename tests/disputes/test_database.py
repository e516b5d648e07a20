"""What the database itself allows of disputes, whatever the code around it does; and which job follows a reversal."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.booking.service import SessionFacts
from app.core import clock
from app.core.ids import new_id
from jobs.booking import seat_again
from jobs.events import EVENTS
from tests.disputes.support import SCHEDULED, Court

DECIDE = "update session_disputes set status = :status, decided_at = now(), decided_by = :by, answer = :answer where id = :id"
OPEN = (
    "insert into session_disputes (id, session_id, version, marked, mentor_id, student_id, reason, status, opened_at,"
    " decided_by, answer)"
    " select :id, s.id, s.version + :later, :marked, s.mentor_id, s.student_id, 'Because it was so.', :status, now(),"
    " cast(:by as uuid), :answer"
    " from sessions s where s.id = :session"
)


async def does(court: Court, who: str, statement: str, **values: Any) -> bool:
    """True if the statement changed something; False if the database refused it or it met nothing."""
    async with court.database.unit_of_work(court.principal(who)) as uow:
        try:
            done = await uow.session.execute(sa.text(statement), values)
        except DBAPIError:
            return False
        changed: int = done.rowcount  # type: ignore[attr-defined]
        return changed == 1


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        ("student", {"withdrawn"}),
        ("mentor", {"upheld"}),
        ("admin", {"upheld", "rejected", "withdrawn"}),
        ("other_student", set()),
        ("other_mentor", set()),
    ],
)
async def test_who_may_decide_how(court: Court, booked: SessionFacts, who: str, allowed: set[str]) -> None:
    dispute, _ = await court.disputed(booked)
    for status in ("upheld", "rejected", "withdrawn"):
        own = {"status": status, "id": dispute, "by": court.cast[who], "answer": ""}
        for forged in ({"by": court.cast["admin" if who != "admin" else "mentor"]}, {"by": None}):
            assert not await does(court, who, DECIDE, **{**own, **forged})
        worded = await does(court, who, DECIDE, **{**own, "answer": "The studio agrees."})
        assert worded is (status in allowed and who == "admin")
        assert await does(court, who, DECIDE, **own) is (status in allowed)


async def test_what_is_decided_is_decided(court: Court, booked: SessionFacts) -> None:
    dispute, at = await court.disputed(booked)
    with clock.standing_at(at):
        await court.withdraw(dispute)
    for who in ("student", "mentor", "admin"):
        forged = {"status": "upheld", "id": dispute, "by": court.cast[who], "answer": ""}
        assert not await does(court, who, DECIDE, **forged)


@pytest.mark.parametrize("who", ["student", "mentor", "admin", "other_student"])
async def test_only_its_student_opens_one_about_the_mark_as_it_is(
    court: Court, booked: SessionFacts, who: str
) -> None:
    at = await court.marked(booked)
    about = {"id": new_id(), "session": booked.id}
    fits: dict[str, Any] = {"later": 0, "marked": "no_show", "status": "open", "by": None, "answer": ""}
    forged = {"by": court.cast["admin"]}, {"answer": "The studio agrees."}
    for wrong in ({"later": 1}, {"later": -1}, {"marked": "completed"}, {"status": "upheld"}, *forged):
        assert not await does(court, who, OPEN, **about, **{**fits, **wrong})
    assert await does(court, who, OPEN, **about, **fits) is (who == "student")
    with clock.standing_at(at):
        await court.mark("mentor", booked.id, SCHEDULED)
    assert not await does(court, who, OPEN, **about, **fits)


def test_a_seat_follows_a_reversal() -> None:
    assert EVENTS["session/reversed"] is seat_again
