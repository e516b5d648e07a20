"""Instructors as the admin's lists show them: with their figures, searched, sorted, a part at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.accounts.models import User
from app.booking.models import SessionCount
from app.core.errors import NotFound
from app.core.unit_of_work import Role, UnitOfWork
from app.mentees.relations import MENTEE_SEATS
from app.mentors.models import Mentor
from app.packs.models import SeatReservation, SeatStatus

DEFAULT_SORT: Final = "name"


class Inventory(msgspec.Struct, frozen=True):
    """Seats: those that nobody sits on, holds or is offered, of those there are."""

    open: int
    capacity: int


class Instructor(msgspec.Struct, frozen=True, kw_only=True):
    """A row. `state`: `former` no longer teaches, `deleted` is closed and can be restored."""

    id: UUID
    name: str
    email: str
    slug: str
    state: Literal["active", "former", "deleted"]
    active_mentees: int
    sessions_completed: int
    inventory: Inventory
    joined: datetime


# One account at a time, found by its id: a plain join may walk through those of all students.
_account: Final = (
    sa.select(User.name, User.email, User.role, User.created_at, User.deleted_at, User.forgotten_at)
    .where(User.id == Mentor.id)
    .limit(1)
    .lateral("account")
)
_seats: Final = sa.func.seat_counts().table_valued(
    sa.column("mentor_id", sa.Uuid), sa.column("active_mentees", sa.Integer), sa.column("live", sa.Integer)
)
_own_seats: Final = (
    sa.select(
        sa.func.count().filter(SeatReservation.status.in_(MENTEE_SEATS)).label("active_mentees"),
        sa.func.count().label("live"),
    )
    .where(SeatReservation.mentor_id == Mentor.id, SeatReservation.status != SeatStatus.RELEASED)
    .lateral("own_seats")
)


def _active_of(seats: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.func.coalesce(seats.c.active_mentees, 0)


def _open_of(seats: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.func.greatest(0, Mentor.max_active_students - sa.func.coalesce(seats.c.live, 0))


_completed: Final = sa.func.coalesce(SessionCount.completed, 0)
_name: Final = sa.func.lower(_account.c.name)

SORTS: Final[Mapping[str, tuple[sa.ColumnElement[Any], ...]]] = {
    "email": (sa.type_coerce(_account.c.email, sa.Text),),
    "name": (_name,),
    "active_mentees": (_active_of(_seats),),
    "sessions_completed": (_completed,),
    "inventory": (_open_of(_seats), sa.type_coerce(Mentor.max_active_students, sa.Integer)),
    "joined": (sa.type_coerce(_account.c.created_at, sa.DateTime(timezone=True)),),
}


def is_sort(text: str) -> bool:
    """True for a column of `SORTS`, with `-` in front for the greatest first."""
    return text.removeprefix("-") in SORTS


async def page_of(
    uow: UnitOfWork, words: str, sort: str, *, limit: int, offset: int
) -> tuple[list[Instructor], int]:
    """Instructors whose name or e-mail holds `words`, as sorted, and how many there are at all. For admins.

    One query; where `offset` lies beyond the last there is none to say how many there are, so it is asked for (two).
    """
    query = _instructors(words).order_by(*_order(sort)).limit(limit).offset(offset)
    rows = (await uow.session.execute(query)).all()
    if rows or offset == 0:
        return [_instructor(row) for row in rows], rows[0].number if rows else 0
    number = sa.select(sa.func.count()).select_from(_instructors(words).subquery())
    return [], (await uow.session.execute(number)).scalar_one()


async def one(uow: UnitOfWork, mentor_id: UUID) -> Instructor:
    """An instructor, for an admin. Raises NotFound."""
    query = _joined(_own_seats, sa.true()).where(_is_listed(""), Mentor.id == mentor_id)
    row = (await uow.session.execute(query)).one_or_none()
    if row is None:
        raise NotFound("There is no such instructor.")
    return _instructor(row)


async def addresses(uow: UnitOfWork, words: str) -> list[tuple[UUID, str]]:
    """Ids and e-mails, by e-mail, of those whose name or e-mail holds `words`; without words of all there ever were."""
    query = (
        sa.select(Mentor.id, _account.c.email)
        .select_from(Mentor)
        .join(_account, sa.true())
        .order_by(_account.c.email, Mentor.id)
    )
    if words:
        query = query.where(_is_listed(words))
    return [(row.id, row.email) for row in (await uow.session.execute(query)).all()]


def _instructors(words: str) -> sa.Select[*tuple[Any, ...]]:
    return _joined(_seats, _seats.c.mentor_id == Mentor.id).where(_is_listed(words))


def _joined(seats: sa.FromClause, theirs: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    """Instructors with their figures; `seats`: counted for all at once, or of one."""
    state = sa.case(
        (_account.c.deleted_at.is_not(None), "deleted"),
        (_account.c.role != Role.MENTOR, "former"),
        else_="active",
    )
    return (
        sa.select(
            Mentor.id,
            _account.c.name,
            _account.c.email,
            sa.type_coerce(Mentor.slug, sa.Text).label("slug"),
            state.label("state"),
            _active_of(seats).label("active_mentees"),
            _completed.label("sessions_completed"),
            _open_of(seats).label("open"),
            Mentor.max_active_students.label("capacity"),
            _account.c.created_at.label("joined"),
            sa.func.count().over().label("number"),
        )
        .select_from(Mentor)
        .join(_account, sa.true())
        .outerjoin(seats, theirs)
        .outerjoin(SessionCount, SessionCount.mentor_id == Mentor.id)
    )


def _is_listed(words: str) -> sa.ColumnElement[bool]:
    known = _account.c.forgotten_at.is_(None)
    if not words:
        return known
    email = sa.cast(_account.c.email, sa.Text)
    return known & (
        _account.c.name.icontains(words, autoescape=True) | email.icontains(words, autoescape=True)
    )


def _order(sort: str) -> list[sa.ColumnElement[Any]]:
    columns = SORTS[sort.removeprefix("-")]
    order = [column.desc() if sort.startswith("-") else column.asc() for column in columns]
    return [*order, _name.asc(), Mentor.id.asc()]


def _instructor(row: Any) -> Instructor:
    values = {
        name: value for name, value in row._mapping.items() if name not in ("open", "capacity", "number")
    }
    return Instructor(**values, inventory=Inventory(row.open, row.capacity))
