"""Packs and seats as the forms that change them by hand show them, and whom they may be given to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.core import clock
from app.core.errors import Invalid, NotFound, Refused
from app.core.unit_of_work import Role, UnitOfWork
from app.mentors.models import Mentor
from app.packs.models import PackStatus, SeatReservation, SessionPack, WaitlistEntry

MENTORS: Final = 300
"""So many are suggested; any other can be typed."""
_student, _mentor = aliased(User), aliased(User)


async def pack(uow: UnitOfWork, pack_id: UUID) -> Any:
    """A pack with the names and zones of its two people. Raises NotFound. One query."""
    columns = [column for column in SessionPack.__table__.columns if column.name != "import_key"]
    query = _with_people(sa.select(*columns), SessionPack).where(SessionPack.id == pack_id)
    return _found((await uow.session.execute(query)).one_or_none())


async def seat(uow: UnitOfWork, seat_id: UUID) -> Any:
    """A seat, live or released, as `pack`; `left`: sessions that can be spent with it, `waiting`: people in the queue."""
    left = sa.select(sa.func.coalesce(sa.func.sum(SessionPack.remaining_sessions), 0)).where(
        SessionPack.mentor_id == SeatReservation.mentor_id,
        SessionPack.student_id == SeatReservation.student_id,
        SessionPack.status == PackStatus.ACTIVE,
        SessionPack.expires_at > clock.now(),
    )
    waiting = sa.select(sa.func.count()).where(
        WaitlistEntry.mentor_id == SeatReservation.mentor_id,
        WaitlistEntry.left_at.is_(None),
        WaitlistEntry.offered_at.is_(None),
    )
    query = sa.select(
        *SeatReservation.__table__.columns,
        left.scalar_subquery().label("left"),
        waiting.scalar_subquery().label("waiting"),
    )
    query = _with_people(query, SeatReservation).where(SeatReservation.id == seat_id)
    return _found((await uow.session.execute(query)).one_or_none())


async def student(uow: UnitOfWork, user_id: UUID) -> User:
    """Somebody who can have packs and seats. Raises NotFound, Refused("not_a_student")."""
    query = sa.select(User).where(User.id == user_id)
    user: User = _found((await uow.session.execute(query)).scalar_one_or_none())
    if user.role is not Role.STUDENT or user.deleted_at is not None:
        raise Refused("not_a_student", "Only a student with an account can have packs and seats.", status=422)
    return user


async def mentors(uow: UnitOfWork) -> Sequence[Any]:
    """(id, name, email) of mentors by name, to suggest. One query."""
    query = _mentors().order_by(User.name, User.id).limit(MENTORS)
    return (await uow.session.execute(query)).all()


async def mentor_by_email(uow: UnitOfWork, email: str) -> UUID:
    """The mentor with that address. Raises Invalid (`mentor_email`)."""
    address = email.strip()
    found = None
    if address and address.isprintable():
        found = (await uow.session.execute(_mentors().where(User.email == address))).one_or_none()
    if found is None:
        raise Invalid({"mentor_email": "No instructor has this address. Choose one from the list."})
    mentor_id: UUID = found.id
    return mentor_id


def _mentors() -> sa.Select[*tuple[Any, ...]]:
    query = sa.select(User.id, User.name, User.email).join(Mentor, Mentor.id == User.id)
    return query.where(User.deleted_at.is_(None), User.role == Role.MENTOR)


def _with_people(
    query: sa.Select[*tuple[Any, ...]], of: type[SessionPack] | type[SeatReservation]
) -> sa.Select[*tuple[Any, ...]]:
    return (
        query.add_columns(
            _student.name.label("student_name"),
            _student.time_zone.label("student_zone"),
            _mentor.name.label("mentor_name"),
            Mentor.time_zone.label("mentor_zone"),
        )
        .join(_student, _student.id == of.student_id)
        .join(_mentor, _mentor.id == of.mentor_id)
        .join(Mentor, Mentor.id == of.mentor_id)
    )


def _found(row: Any) -> Any:
    if row is None:
        raise NotFound
    return row
