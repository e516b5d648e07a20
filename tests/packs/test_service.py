"""Seats and ledger on the real database: capacity under races, sums that the triggers keep."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.db import Database
from app.core.errors import NotFound, Refused
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.packs import seats, waitlist
from app.packs import service as packs
from app.packs.models import EntryKind, PackStatus, SeatEntry, SeatReservation, SeatStatus, SessionPack
from tests import cast as casting
from tests.cast import Cast


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


async def grant(database: Database, mentor: object, student: object, sessions: int = 4) -> object:
    async with database.service(ServiceDoor.SEED) as uow:
        pack = await packs.grant(
            uow, mentor_id=mentor, student_id=student, sessions=sessions, validity_days=30
        )  # type: ignore[arg-type]
        await uow.commit()
        return pack


async def test_a_hundred_students_race_for_two_seats(database: Database, cast: Cast) -> None:
    students = [new_id() for _ in range(100)]
    async with database.service(ServiceDoor.SEED) as uow:
        for number, student in enumerate(students):
            await casting.add_user(uow, student, f"racer-{number}@example.test", "Racer", Role.STUDENT)
        await uow.commit()
    answers = await asyncio.gather(
        *(grant(database, cast["mentor"], s) for s in students), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(answers) - len(refused) == 2
    assert {answer.code for answer in refused} == {"sold_out"}
    async with database.service(ServiceDoor.SEED) as uow:
        entries = (
            await uow.session.execute(
                sa.select(SeatEntry.status).where(SeatEntry.mentor_id == cast["mentor"])
            )
        ).scalars()
        assert list(entries) == [SeatStatus.ACTIVE] * 3


async def test_two_packs_at_once_take_one_seat(database: Database, cast: Cast) -> None:
    await asyncio.gather(*(grant(database, cast["mentor"], cast["new_student"]) for _ in range(5)))
    async with database.service(ServiceDoor.SEED) as uow:
        seats = sa.select(sa.func.count()).where(SeatReservation.student_id == cast["new_student"])
        owned = sa.select(sa.func.count()).where(SessionPack.student_id == cast["new_student"])
        assert (await uow.session.execute(seats)).scalar_one() == 1
        assert (await uow.session.execute(owned)).scalar_one() == 5


async def test_a_pack_is_granted_whole_or_not_at_all(database: Database, cast: Cast) -> None:
    with pytest.raises(NotFound):
        await grant(database, new_id(), cast["new_student"])
    async with database.service(ServiceDoor.SEED) as uow:
        owned = sa.select(sa.func.count()).where(SessionPack.student_id == cast["new_student"])
        assert (await uow.session.execute(owned)).scalar_one() == 0


async def test_the_ledger_is_the_balance(database: Database, cast: Cast) -> None:
    pack_id = cast.packs["student"]
    changes = [
        (EntryKind.COMPLETE, -1),
        (EntryKind.REVERSAL, 1),
        (EntryKind.NO_SHOW, -1),
        (EntryKind.ADJUST, -3),
    ]
    balance = 4
    async with database.service(ServiceDoor.SEED) as uow:
        for kind, delta in changes:
            await packs.add_entry(uow, pack_id, kind, delta)
            balance += delta
            pack = (await seats.lock_pair(uow, cast["mentor"], cast["student"])).packs[0]
            assert (pack.remaining_sessions, pack.status) == (
                balance,
                PackStatus.ACTIVE if balance else PackStatus.DEPLETED,
            )
        assert await seats.settle(uow, cast["mentor"], cast["student"]) is SeatStatus.GRACE
        with pytest.raises(IntegrityError, match="ck_session_packs_credit"):
            await packs.add_entry(uow, pack_id, EntryKind.COMPLETE, -1)


async def test_waiting_twice_is_waiting_once(database: Database, cast: Cast) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await uow.session.execute(sa.text("update mentors set max_active_students = 1"))
        await uow.commit()
    for name in ("new_student", "other_student", "new_student"):
        async with database.unit_of_work(cast.principal(name)) as uow:
            await waitlist.join(uow, cast["mentor"], cast[name])
            await uow.commit()
    async with database.unit_of_work(cast.principal("other_student")) as uow:
        question = sa.text("select waitlist_length(:m), waitlist_position(:m)")
        assert tuple((await uow.session.execute(question, {"m": cast["mentor"]})).one()) == (2, 2)
