"""What happens at the same moment: two who decide, a decision and an undo, a dispute and an undo, two windows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from random import Random

import pytest

from app.booking.service import SessionFacts
from app.core import clock
from app.core.errors import Refused
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from tests import cast as casting
from tests.disputes.support import (
    CANCELED,
    COMPLETED,
    NO_SHOW,
    REJECTED,
    SCHEDULED,
    UPHELD,
    Court,
)

ROUNDS = 6


async def outcome(attempt: Awaitable[object]) -> str:
    """`done`, or the code of the refusal."""
    try:
        await attempt
    except Refused as error:
        return error.code
    return "done"


async def demand_whole(court: Court, booked: SessionFacts) -> None:
    """Ledger, session and dispute tell the same story."""
    await court.demand_sums()
    session, ledger = await court.session(booked.id), await court.ledger(booked.id)
    spent = -sum(int(entry.split()[1]) for entry in ledger)
    assert spent == (1 if session.status in (NO_SHOW, COMPLETED) else 0), (session.status, ledger)
    pack = await court.pack(booked.pack_id)
    assert pack.scheduled_sessions == (1 if session.status is SCHEDULED else 0)
    upheld = [row for row in await court.rows() if row.status == "upheld"]
    assert bool(upheld) is (session.status is CANCELED)
    assert len(upheld) <= 1


@pytest.fixture
async def second_admin(court: Court) -> Principal:
    id_ = new_id()
    async with court.database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await casting.add_user(uow, id_, "second-admin@example.test", "Second Admin", Role.ADMIN)
    return Principal(id_, Role.ADMIN)


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_two_admins_decide(
    court: Court, booked: SessionFacts, second_admin: Principal, seed: int
) -> None:
    dispute, at = await court.disputed(booked)
    decisions = [Random(seed).choice([UPHELD, REJECTED]) for _ in range(2)]
    with clock.standing_at(at):
        found = await asyncio.gather(
            outcome(court.decide(dispute, decisions[0])),
            outcome(court.decide(dispute, decisions[1], who=second_admin)),
        )
    assert sorted(found) == ["decided", "done"]
    (row,) = await court.rows()
    assert row.status == decisions[found.index("done")]
    assert await court.told("dispute_decided") == 1
    await demand_whole(court, booked)


@pytest.mark.parametrize("_", range(ROUNDS))
async def test_the_mentor_agrees_while_an_admin_rejects(court: Court, booked: SessionFacts, _: int) -> None:
    dispute, at = await court.disputed(booked)
    with clock.standing_at(at):
        found = await asyncio.gather(
            outcome(court.concede(dispute)),
            outcome(court.decide(dispute, REJECTED)),
            outcome(court.withdraw(dispute)),
        )
    assert sorted(found) == ["decided", "decided", "done"]
    await demand_whole(court, booked)


@pytest.mark.parametrize("_", range(ROUNDS))
async def test_a_dispute_against_an_undo(court: Court, booked: SessionFacts, _: int) -> None:
    """Whoever is first, nobody is left with a dispute to decide about a session that is scheduled."""
    at = await court.marked(booked)
    with clock.standing_at(at):
        disputed, undone = await asyncio.gather(
            outcome(court.dispute(booked.id)), outcome(court.mark("mentor", booked.id, SCHEDULED))
        )
        assert undone == "done"
        assert disputed in ("done", "not_marked")
        if disputed == "done":
            (row,) = await court.rows()
            assert await outcome(court.decide(row.id, UPHELD)) == "settled"
    await demand_whole(court, booked)


@pytest.mark.parametrize("_", range(ROUNDS))
@pytest.mark.parametrize("status", [SCHEDULED, COMPLETED])
async def test_a_decision_against_a_mark(court: Court, booked: SessionFacts, status: str, _: int) -> None:
    dispute, at = await court.disputed(booked)
    wanted = SCHEDULED if status == SCHEDULED else COMPLETED
    with clock.standing_at(at):
        decided, marked = await asyncio.gather(
            outcome(court.decide(dispute, UPHELD)), outcome(court.mark("mentor", booked.id, wanted))
        )
    assert (decided, marked) in (
        ("done", "cannot_undo"),
        ("done", "not_scheduled"),
        ("settled", "done"),
    )
    await demand_whole(court, booked)


@pytest.mark.parametrize("_", range(ROUNDS))
async def test_two_windows_dispute_once(court: Court, booked: SessionFacts, _: int) -> None:
    with clock.standing_at(await court.marked(booked)):
        found = await asyncio.gather(*(outcome(court.dispute(booked.id)) for _ in range(4)))
    assert sorted(found) == ["already_disputed"] * 3 + ["done"]
    assert len(await court.rows()) == 1
    assert await court.told("session_disputed") == 1


@pytest.mark.parametrize("_", range(ROUNDS))
async def test_a_decision_while_another_session_is_booked(court: Court, booked: SessionFacts, _: int) -> None:
    dispute, at = await court.disputed(booked)
    with clock.standing_at(at):
        offers = await court.offers("student")
        found = await asyncio.gather(
            outcome(court.concede(dispute)),
            *(outcome(court.book("student", start)) for start in offers[:8:2]),
        )
    assert found[0] == "done"
    await court.demand_sums()
    pack = await court.pack(booked.pack_id)
    assert (pack.remaining_sessions, pack.scheduled_sessions) == (4, found[1:].count("done"))


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_they_do_the_sums_hold(court: Court, booked: SessionFacts, seed: int) -> None:
    """Mentor, student and admin act at random, some of them at once."""
    chance, at = Random(seed), await court.marked(booked)
    with clock.standing_at(at):
        for _ in range(12):
            first, second = await _act(court, booked, chance), await _act(court, booked, chance)
            await asyncio.gather(outcome(first), outcome(second))
            await demand_whole(court, booked)


async def _act(court: Court, booked: SessionFacts, chance: Random) -> Awaitable[object]:
    """What somebody is about to do: dispute it, mark it, or answer the latest dispute."""
    ids = [row.id for row in await court.rows()]
    match chance.choice(["dispute", "mark", "mark", *(["concede", "withdraw", "decide"] if ids else [])]):
        case "dispute":
            return court.dispute(booked.id)
        case "mark":
            return court.mark("mentor", booked.id, chance.choice([SCHEDULED, COMPLETED, NO_SHOW]))
        case "concede":
            return court.concede(ids[-1])
        case "withdraw":
            return court.withdraw(ids[-1])
        case _:
            return court.decide(ids[-1], chance.choice([UPHELD, REJECTED]))
