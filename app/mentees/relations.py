"""Who is whose mentee, and how they stand: the one reading of these figures, for every dashboard, list, file and API.

A *relation* is a (mentor, student) pair with at least one pack, or with a seat that is `active` or in `grace`.
- completed: sessions of the pair with that status; total: sessions of all its packs, whatever became of them
- remaining: what is left in packs that can be spent (`active`, not past their expiry), booked sessions included
- used: what the ledger took for sessions (completed, no-show, canceled late), given back ones not counted
- the current pack: of those that can be spent the one that lasts longest, else the one bought last
Every function asks a constant number of queries, under row-level security as whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.booking.lists import GONE
from app.booking.models import Session, SessionStatus
from app.core import clock
from app.core.errors import NotFound
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor
from app.packs.models import PackEntry, PackStatus, SeatReservation, SeatStatus, SessionPack

MENTEE_SEATS: Final = (SeatStatus.ACTIVE, SeatStatus.GRACE)
LAST: Final = 1
"""So many sessions left are few enough to ask for a renewal."""

_people: Final = sa.table(
    "people", sa.column("id", sa.Uuid), *(sa.column(n, sa.Text) for n in ("name", "email"))
)
_Query: TypeAlias = sa.Select[*tuple[Any, ...]]
_Where: TypeAlias = Sequence[tuple[str, Sequence[UUID]]]


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
    """Some of a mentor's mentees, by name, and how many there are."""

    relations: list[Relation]
    total: int


async def of_mentor(
    uow: UnitOfWork, mentor_id: UUID, *, limit: int | None = None, offset: int = 0
) -> list[Relation]:
    """A mentor's relations by the student's name. One query."""
    pairs = _page(_pairs([("mentor_id", [mentor_id])]), limit, offset)
    return await _read(uow, pairs)


async def of_mentors(uow: UnitOfWork, mentor_ids: Sequence[UUID], *, each: int) -> dict[UUID, Mentees]:
    """The first `each` relations of every one of these mentors, as `of_mentor`. One query, however many they are."""
    found: dict[UUID, Mentees] = {mentor_id: Mentees([], 0) for mentor_id in mentor_ids}
    if not found:
        return found
    pairs = _first_of_each(_pairs([("mentor_id", mentor_ids)]), each)
    query = relations(pairs, clock.now()).add_columns(pairs.c.number).order_by(*_by_name(pairs))
    for row in (await uow.session.execute(query)).mappings():
        values = dict(row)
        number = values.pop("number")
        mentees = found[values["mentor_id"]]
        found[values["mentor_id"]] = Mentees([*mentees.relations, Relation(**values)], number)
    return found


async def count_of_mentor(uow: UnitOfWork, mentor_id: UUID) -> int:
    """How many relations a mentor has."""
    pairs = _pairs([("mentor_id", [mentor_id])])
    return int((await uow.session.execute(sa.select(sa.func.count()).select_from(pairs))).scalar_one())


async def of_student(uow: UnitOfWork, student_id: UUID) -> list[Relation]:
    """A student's relations by the mentor's name. One query."""
    found = await _read(uow, _page(_pairs([("student_id", [student_id])]), None, 0))
    return sorted(found, key=lambda relation: (relation.mentor_name.casefold(), relation.mentor_id))


async def of_students(uow: UnitOfWork, student_ids: Sequence[UUID]) -> dict[UUID, list[Relation]]:
    """The relations of every one of these students, as `of_student`. One query, however many they are."""
    found: dict[UUID, list[Relation]] = {student_id: [] for student_id in student_ids}
    if found:
        for relation in await _read(uow, _page(_pairs([("student_id", student_ids)]), None, 0)):
            found[relation.student_id].append(relation)
    return found


async def one(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> Relation:
    """The relation of a pair. Raises NotFound where there is none that the asker may see. One query."""
    where = [("mentor_id", [mentor_id]), ("student_id", [student_id])]
    found = await _read(uow, _page(_pairs(where), None, 0))
    if not found:
        raise NotFound
    return found[0]


async def _read(uow: UnitOfWork, pairs: sa.Subquery) -> list[Relation]:
    query = relations(pairs, clock.now()).order_by(*_by_name(pairs))
    return [Relation(**row) for row in (await uow.session.execute(query)).mappings()]


def _pairs(where: _Where) -> sa.Subquery:
    """Every pair that is a relation and meets the conditions `(column, one of these)`, once."""

    def chosen(table: type[SessionPack] | type[SeatReservation]) -> _Query:
        conditions = (getattr(table, column).in_(values) for column, values in where)
        return sa.select(table.mentor_id, table.student_id).where(*conditions)

    seated = chosen(SeatReservation).where(SeatReservation.status.in_(MENTEE_SEATS))
    return sa.union(chosen(SessionPack), seated).subquery("pairs")


def _named(pairs: sa.Subquery) -> _Query:
    """The pairs with the student as the asker may see them.

    The view is asked for one person at a time: only below a limit does the condition reach the index, for nothing is
    joined with a view that guards its rows before all of them were looked at.
    """
    student = _person(pairs.c.student_id, "student")
    return sa.select(
        pairs.c.mentor_id,
        pairs.c.student_id,
        sa.func.coalesce(student.c.name, GONE).label("student_name"),
        student.c.email.label("student_email"),
    ).outerjoin_from(pairs, student, sa.true())


def _person(id_: sa.ColumnElement[Any], name: str) -> sa.Lateral:
    return sa.select(_people.c.name, _people.c.email).where(_people.c.id == id_).limit(1).lateral(name)


def _by_name(pairs: sa.FromClause) -> tuple[sa.ColumnElement[Any], ...]:
    return sa.func.lower(pairs.c.student_name), pairs.c.student_id, pairs.c.mentor_id


def _page(pairs: sa.Subquery, limit: int | None, offset: int) -> sa.Subquery:
    named = _named(pairs).subquery("named")
    return sa.select(named).order_by(*_by_name(named)).limit(limit).offset(offset).subquery("page")


def _first_of_each(pairs: sa.Subquery, each: int) -> sa.Subquery:
    named = _named(pairs).subquery("named")
    of_one = named.c.mentor_id
    placed = sa.select(
        named,
        sa.func.row_number().over(partition_by=of_one, order_by=_by_name(named)).label("place"),
        sa.func.count().over(partition_by=of_one).label("number"),
    ).subquery("placed")
    return sa.select(placed).where(placed.c.place <= each).subquery("page")


def relations(pairs: sa.Subquery, now: datetime) -> _Query:
    """The columns of `Relation` for `pairs` (of them with student_name and student_email)."""
    packs, current = packs_of(pairs, now), current_pack(pairs, now)
    sessions, seat, ledger = sessions_of(pairs, now), seat_of(pairs), _ledger(pairs)
    mentor = _person(pairs.c.mentor_id, "mentor_person")
    joined: sa.FromClause = pairs.join(Mentor, Mentor.id == pairs.c.mentor_id)
    for part in (mentor, packs, current, sessions, ledger, seat):
        joined = joined.outerjoin(part, sa.true())
    return sa.select(
        pairs.c.mentor_id,
        pairs.c.student_id,
        sa.func.coalesce(mentor.c.name, GONE).label("mentor_name"),
        sa.cast(Mentor.slug, sa.Text).label("mentor_slug"),
        pairs.c.student_name,
        pairs.c.student_email,
        *packs.c,
        *current.c,
        *sessions.c,
        *seat.c,
        ledger.c.used,
    ).select_from(joined)


def _of_pair(table: Any, pairs: sa.FromClause) -> tuple[sa.ColumnElement[bool], ...]:
    return table.mentor_id == pairs.c.mentor_id, table.student_id == pairs.c.student_id


def _spendable(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(SessionPack.status == PackStatus.ACTIVE, SessionPack.expires_at > now)


def packs_of(pairs: sa.FromClause, now: datetime) -> sa.Lateral:
    """`total` and `remaining` of a pair."""
    left = sa.func.sum(SessionPack.remaining_sessions).filter(_spendable(now))
    return (
        sa.select(
            sa.func.coalesce(sa.func.sum(SessionPack.total_sessions), 0).label("total"),
            sa.func.coalesce(left, 0).label("remaining"),
        )
        .where(*_of_pair(SessionPack, pairs))
        .lateral("packs")
    )


def current_pack(pairs: sa.FromClause, now: datetime) -> sa.Lateral:
    """`pack_id`, `pack_status`, `pack_expires_at` of a pair."""
    spendable = _spendable(now)
    over = sa.and_(SessionPack.status == PackStatus.ACTIVE, SessionPack.expires_at <= now)
    return (
        sa.select(
            SessionPack.id.label("pack_id"),
            sa.case((over, PackStatus.EXPIRED), else_=SessionPack.status).label("pack_status"),
            SessionPack.expires_at.label("pack_expires_at"),
        )
        .where(*_of_pair(SessionPack, pairs))
        .order_by(
            spendable.desc(),
            sa.case((spendable, SessionPack.expires_at)).desc(),
            SessionPack.purchased_at.desc(),
            SessionPack.id.desc(),
        )
        .limit(1)
        .lateral("current_pack")
    )


def sessions_of(pairs: sa.FromClause, now: datetime) -> sa.Lateral:
    """`completed`, `scheduled`, `last_session`, `next_session` of a pair."""
    completed = Session.status == SessionStatus.COMPLETED
    scheduled = Session.status == SessionStatus.SCHEDULED
    return (
        sa.select(
            sa.func.count().filter(completed).label("completed"),
            sa.func.count().filter(scheduled).label("scheduled"),
            sa.func.max(Session.scheduled_at).filter(completed).label("last_session"),
            sa.func.min(Session.scheduled_at)
            .filter(scheduled, Session.scheduled_at > now)
            .label("next_session"),
        )
        .where(*_of_pair(Session, pairs))
        .lateral("pair_sessions")
    )


def seat_of(pairs: sa.FromClause) -> sa.Lateral:
    """`seat_status`, `seat_expires_at` of a pair."""
    released = SeatReservation.status == SeatStatus.RELEASED
    return (
        sa.select(SeatReservation.status.label("seat_status"), SeatReservation.seat_expires_at)
        .where(*_of_pair(SeatReservation, pairs))
        .order_by(released, SeatReservation.changed_at.desc())
        .limit(1)
        .lateral("seat")
    )


def _ledger(pairs: sa.FromClause) -> sa.Lateral:
    """`used` of a pair: entries with a session are those that a session cost, and those that gave it back."""
    return (
        sa.select(sa.func.coalesce(-sa.func.sum(PackEntry.delta), 0).label("used"))
        .join(SessionPack, SessionPack.id == PackEntry.pack_id)
        .where(*_of_pair(SessionPack, pairs), PackEntry.session_id.is_not(None))
        .lateral("ledger")
    )
