"""Who is whose mentee, and how they stand: the one reading of these figures, for every dashboard, list, file and API.

A *relation* is a (mentor, student) pair with at least one pack, or with a seat that is `active` or in `grace`.
- completed: sessions of the pair with that status; total: sessions of all its packs, whatever became of them
- remaining: what is left in packs that can be spent (`active`, not past their expiry), booked sessions included
- used: what the ledger took for sessions (completed, no-show, canceled late), given back ones not counted
- the current pack: of those that can be spent the one that lasts longest, else the one bought last
Every function asks a constant number of queries, under row-level security as whoever asks.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping

from app.accounts.people import GONE
from app.core import clock
from app.core.errors import NotFound
from app.core.unit_of_work import UnitOfWork
from app.mentees import repository
from app.mentees.repository import Of
from app.packs.models import PackStatus, SeatStatus

MENTEE_SEATS: Final = (SeatStatus.ACTIVE, SeatStatus.GRACE)
LAST: Final = 1
"""So many sessions left are few enough to ask for a renewal."""


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """A mentor and a student. Instants are UTC; `student_email` is None where the asker may not see it.

    `pack_status`: an `active` pack past its expiry reads `expired`; it, `pack_id` and `pack_expires_at` are None for a
    pair without a pack. `seat_status`: of the live seat, else `released` if there was one, else None.
    """

    mentor_id: UUID
    student_id: UUID
    mentor_name: str
    mentor_slug: str
    student_name: str
    student_email: str | None
    completed: int
    total: int
    remaining: int
    used: int
    scheduled: int
    pack_id: UUID | None
    pack_status: PackStatus | None
    pack_expires_at: datetime | None
    last_session: datetime | None
    next_session: datetime | None
    seat_status: SeatStatus | None
    seat_expires_at: datetime | None

    @property
    def low(self) -> bool:
        """True if it is time to renew: one session left of some, or all used up and the seat about to go."""
        return (
            self.remaining == LAST and self.total > self.remaining
        ) or self.seat_status == SeatStatus.GRACE


class Mentees(msgspec.Struct, frozen=True):
    """Some of a mentor's relations by the student's name, and how many there are."""

    relations: list[Relation]
    total: int


async def of_mentor(
    uow: UnitOfWork, mentor_id: UUID, *, limit: int | None = None, offset: int = 0
) -> list[Relation]:
    """A mentor's relations by the student's name. One query."""
    return await _read(uow, "mentors", mentors=[mentor_id], each=limit, offset=offset)


async def of_mentors(uow: UnitOfWork, mentor_ids: Sequence[UUID], *, each: int) -> dict[UUID, Mentees]:
    """The first `each` relations of every one of these mentors, as `of_mentor`. One query, however many they are."""
    found: dict[UUID, list[Relation]] = {mentor_id: [] for mentor_id in mentor_ids}
    totals: dict[UUID, int] = {}
    if found:
        values = _values(mentors=list(mentor_ids), each=each)
        for row in await repository.relations(uow.session, "mentors", values):
            found[row["mentor_id"]].append(_relation(row))
            totals[row["mentor_id"]] = row["mentees"]
    return {id_: Mentees(relations, totals.get(id_, 0)) for id_, relations in found.items()}


async def count_of_mentor(uow: UnitOfWork, mentor_id: UUID) -> int:
    """How many relations a mentor has. One query."""
    return await repository.count(uow.session, mentor_id)


async def stream_of_mentors(uow: UnitOfWork, mentor_ids: Sequence[UUID]) -> AsyncGenerator[Relation, None]:
    """Every relation of these mentors, by mentor and the student's name, without holding all of them in memory."""
    values = _values(mentors=list(mentor_ids))
    async with aclosing(repository.stream(uow.session, "mentors", values)) as rows:
        async for row in rows:
            yield _relation(row)


async def of_student(uow: UnitOfWork, student_id: UUID) -> list[Relation]:
    """A student's relations by the mentor's name. One query."""
    return (await of_students(uow, [student_id]))[student_id]


async def of_students(uow: UnitOfWork, student_ids: Sequence[UUID]) -> dict[UUID, list[Relation]]:
    """The relations of every one of these students, as `of_student`. One query, however many they are."""
    found: dict[UUID, list[Relation]] = {student_id: [] for student_id in student_ids}
    if found:
        relations = await _read(uow, "students", students=list(student_ids))
        for relation in sorted(relations, key=lambda one: (one.mentor_name.casefold(), one.mentor_id)):
            found[relation.student_id].append(relation)
    return found


async def one(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> Relation:
    """The relation of a pair. Raises NotFound where there is none that the asker may see. One query."""
    found = await _read(uow, "pair", mentor_id=mentor_id, student_id=student_id)
    if not found:
        raise NotFound
    return found[0]


async def _read(uow: UnitOfWork, of: Of, **values: Any) -> list[Relation]:
    return [_relation(row) for row in await repository.relations(uow.session, of, _values(**values))]


def _values(**values: Any) -> dict[str, Any]:
    return {"now": clock.now(), "gone": GONE, "each": None, "offset": 0} | values


def _relation(row: RowMapping) -> Relation:
    values = {name: row[name] for name in Relation.__struct_fields__}
    status, seat = values["pack_status"], values["seat_status"]
    values["pack_status"] = PackStatus(status) if status else None
    values["seat_status"] = SeatStatus(seat) if seat else None
    return Relation(**values)
