"""A school in every state there is, made by chance, and what is true of it: told from the rows alone, in plain Python."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Range

from app.accounts.models import User
from app.booking.models import Session, SessionStatus
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role, UnitOfWork
from app.mentors.models import Mentor
from app.packs.models import EntryKind, PackEntry, PackStatus, SeatReservation, SeatStatus, SessionPack
from tests import cast as casting

Pair: TypeAlias = tuple[UUID, UUID]
Facts: TypeAlias = dict[str, Any]

NAMES = ("Zoë Ægir", "ana", "Ana", "Łukasz 🎨", "=SUM(A1)", "O'Neill, Pat", 'Q"uote', "Ümit", "bo", "Wei")
USED = {
    SessionStatus.COMPLETED: EntryKind.COMPLETE,
    SessionStatus.NO_SHOW: EntryKind.NO_SHOW,
}


@dataclass
class School:
    """Its mentors and students; `now`: when it is looked at."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    mentors: list[UUID] = field(default_factory=list)
    students: list[UUID] = field(default_factory=list)


async def found(database: Database, seed: int) -> School:
    """Make the school of that seed."""
    school, chance = School(), random.Random(seed)
    async with database.service(ServiceDoor.SEED) as uow:
        await _people(uow, school, chance)
        hours = count(1)
        for mentor in school.mentors[:-1]:  # the last one has nobody
            for student in school.students:
                if chance.random() < 0.7:
                    await _pair(uow, chance, school, (mentor, student), hours)
        await uow.commit()
    return school


async def _people(uow: UnitOfWork, school: School, chance: random.Random) -> None:
    for number in range(4):
        school.mentors.append(new_id())
        name = chance.choice(NAMES)
        await casting.add_user(uow, school.mentors[-1], f"m{number}@example.test", name, Role.MENTOR)
        await casting.add_mentor(uow, school.mentors[-1], f"m-{number}", "UTC", None, seats=100)
    for number in range(12):
        school.students.append(new_id())
        email = f"{chance.choice('=+-abc')}{number}@example.test"
        await casting.add_user(uow, school.students[-1], email, chance.choice(NAMES), Role.STUDENT)
    gone = sa.update(User).where(User.id == school.students[0]).values(deleted_at=school.now)
    await uow.session.execute(gone)


async def _pair(
    uow: UnitOfWork, chance: random.Random, school: School, pair: Pair, hours: count[int]
) -> None:
    for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
        await _pack(uow, chance, school.now, pair, hours)
    for _ in range(chance.choice((0, 0, 1, 2))):
        await _seat(uow, chance, school.now, pair, SeatStatus.RELEASED)
    if chance.random() < 0.7:
        live = [status for status in SeatStatus if status is not SeatStatus.RELEASED]
        await _seat(uow, chance, school.now, pair, chance.choice(live))


async def _seat(
    uow: UnitOfWork, chance: random.Random, now: datetime, pair: Pair, status: SeatStatus
) -> None:
    ends = status in (SeatStatus.OFFERED, SeatStatus.HELD, SeatStatus.GRACE)
    at = now - timedelta(hours=chance.randrange(1, 1000))
    await uow.session.execute(
        sa.insert(SeatReservation).values(
            id=new_id(),
            mentor_id=pair[0],
            student_id=pair[1],
            status=status,
            seat_expires_at=now + timedelta(hours=chance.randrange(1, 72)) if ends else None,
            created_at=at,
            changed_at=at,
        )
    )


async def _pack(uow: UnitOfWork, chance: random.Random, now: datetime, pair: Pair, hours: count[int]) -> None:
    id_, total = new_id(), chance.randrange(1, 6)
    bought = now - timedelta(days=chance.randrange(1, 90))
    expires = now + timedelta(days=chance.randrange(-20, 40), hours=1)
    pack = {"id": id_, "mentor_id": pair[0], "student_id": pair[1], "total_sessions": total}
    values = {**pack, "status": "active", "frozen": chance.random() < 0.2, "purchased_at": bought}
    await uow.session.execute(sa.insert(SessionPack).values(values | {"expires_at": expires}))
    await _entry(uow, id_, EntryKind.PURCHASE, total)
    left = total
    for _ in range(chance.randrange(0, 6)):
        left -= await _session(uow, chance, now, (*pair, id_), left, hours)
    await _end(uow, chance, id_)


async def _end(uow: UnitOfWork, chance: random.Random, pack_id: UUID) -> None:
    """Some packs are over: refunded or expired, what was left in them with it."""
    pack = (await uow.session.execute(sa.select(SessionPack).where(SessionPack.id == pack_id))).scalar_one()
    status = chance.choice((None, None, PackStatus.EXPIRED, PackStatus.REFUNDED))
    if status is None or pack.scheduled_sessions:
        return
    if pack.remaining_sessions:
        kind = EntryKind.EXPIRE if status is PackStatus.EXPIRED else EntryKind.REFUND
        await _entry(uow, pack_id, kind, -pack.remaining_sessions)
    await uow.session.execute(sa.update(SessionPack).where(SessionPack.id == pack_id).values(status=status))


async def _session(
    uow: UnitOfWork,
    chance: random.Random,
    now: datetime,
    of: tuple[UUID, UUID, UUID],
    left: int,
    hours: count[int],
) -> int:
    """One more session; how many of the pack's it takes or holds."""
    status = chance.choice(list(SessionStatus))
    late = status is SessionStatus.CANCELED and chance.random() < 0.5
    takes = int(late or status is not SessionStatus.CANCELED)
    if takes > left:
        return 0
    id_, hour = new_id(), timedelta(hours=next(hours))
    start = now + hour if status is SessionStatus.SCHEDULED and chance.random() < 0.8 else now - hour
    times = {"scheduled_at": start, "ends_at": start + timedelta(hours=1), "booked_at": now}
    values = {"id": id_, "mentor_id": of[0], "student_id": of[1], "pack_id": of[2], "status": status, **times}
    values["blocked"] = Range(start, start + timedelta(hours=1))
    values["completed_at"] = start if status in USED else None
    values["canceled_at"] = start if status is SessionStatus.CANCELED else None
    await uow.session.execute(sa.insert(Session).values(values))
    if left > takes and chance.random() < 0.2:  # marked before, and undone
        await _entry(uow, of[2], EntryKind.COMPLETE, -1, id_)
        await _entry(uow, of[2], EntryKind.REVERSAL, 1, id_)
    if status in USED:
        await _entry(uow, of[2], USED[status], -1, id_)
    elif late:
        await _entry(uow, of[2], EntryKind.LATE_CANCEL, -1, id_)
    return takes


async def _entry(
    uow: UnitOfWork, pack_id: UUID, kind: EntryKind, delta: int, session_id: UUID | None = None
) -> None:
    entry = {"id": new_id(), "pack_id": pack_id, "session_id": session_id, "kind": kind, "delta": delta}
    await uow.session.execute(sa.insert(PackEntry).values(**entry, reason="", at=datetime.now(UTC)))


@dataclass(frozen=True)
class Truth:
    """What the rows say: facts of each relation, figures of each mentor, e-mails and names of everybody."""

    relations: dict[Pair, Facts]
    mentors: dict[UUID, Facts]
    people: dict[UUID, User]


async def truth(database: Database, now: datetime) -> Truth:
    """Read every row, and count by hand."""
    rows: dict[type[Any], Sequence[Any]] = {}
    async with database.service(ServiceDoor.JOB) as uow:
        for table in (User, Mentor, SessionPack, PackEntry, Session, SeatReservation):
            rows[table] = (await uow.session.execute(sa.select(table))).scalars().all()
    of: dict[type[Any], dict[Pair, list[Any]]] = {}
    for table in (SessionPack, Session, SeatReservation):
        of[table] = defaultdict(list)
        for row in rows[table]:
            of[table][row.mentor_id, row.student_id].append(row)
    pairs = {pair for pair, packs in of[SessionPack].items() if packs}
    pairs |= {pair for pair, seats in of[SeatReservation].items() if any(_sits(seat) for seat in seats)}
    ledger = defaultdict(int)
    for entry in rows[PackEntry]:
        if entry.session_id is not None:
            ledger[entry.pack_id] -= entry.delta
    relations = {
        pair: _credit(of[SessionPack][pair], ledger, now)
        | _meetings(of[Session][pair], now)
        | _place(of[SeatReservation][pair])
        for pair in pairs
    }
    mentors = {mentor.id: _figures(mentor, rows) for mentor in rows[Mentor]}
    return Truth(relations, mentors, {user.id: user for user in rows[User]})


def _sits(seat: SeatReservation) -> bool:
    return seat.status in ("active", "grace")


def _credit(packs: list[SessionPack], ledger: dict[UUID, int], now: datetime) -> Facts:
    spendable = [pack for pack in packs if pack.status == "active" and pack.expires_at > now]
    current = max(spendable, key=lambda pack: (pack.expires_at, pack.purchased_at, pack.id), default=None)
    current = current or max(packs, key=lambda pack: (pack.purchased_at, pack.id), default=None)
    is_over = current is not None and current.status == "active" and current not in spendable
    return {
        "total": sum(pack.total_sessions for pack in packs),
        "remaining": sum(pack.remaining_sessions for pack in spendable),
        "used": sum(ledger[pack.id] for pack in packs),
        "pack_id": current and current.id,
        "pack_status": "expired" if is_over else current and current.status,
        "pack_expires_at": current and current.expires_at,
    }


def _meetings(sessions: list[Session], now: datetime) -> Facts:
    held = [one.scheduled_at for one in sessions if one.status == "completed"]
    booked = [one.scheduled_at for one in sessions if one.status == "scheduled"]
    return {
        "completed": len(held),
        "scheduled": len(booked),
        "last_session": max(held, default=None),
        "next_session": min((start for start in booked if start > now), default=None),
    }


def _place(seats: list[SeatReservation]) -> Facts:
    live = [seat for seat in seats if seat.status != "released"]
    status = live[0].status if live else "released" if seats else None
    return {"seat_status": status, "seat_expires_at": live[0].seat_expires_at if live else None}


def _figures(mentor: Mentor, rows: dict[type[Any], Sequence[Any]]) -> Facts:
    seats = [seat for seat in rows[SeatReservation] if seat.mentor_id == mentor.id]
    live = [seat for seat in seats if seat.status != "released"]
    held = [one for one in rows[Session] if one.mentor_id == mentor.id and one.status == "completed"]
    return {
        "active_mentees": sum(map(_sits, seats)),
        "open": max(0, mentor.max_active_students - len(live)),
        "capacity": mentor.max_active_students,
        "completed": len(held),
    }
