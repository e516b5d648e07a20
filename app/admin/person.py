"""One person, as an admin sees them: account, packs and seats, sessions, orders, places in queues. Seven queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.accounts.models import MailPause, User, UserIdentity
from app.admin.students import account_state
from app.booking.models import Session
from app.core.errors import NotFound
from app.core.unit_of_work import Role, UnitOfWork
from app.mentors.models import Mentor
from app.packs.models import SeatReservation, SessionPack, WaitlistEntry
from app.payments.models import Order

AT_MOST: Final = 20
_student, _mentor = aliased(User), aliased(User)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """An account. `state` as in `app.admin.students`; `slug`, `seats` of a mentor's profile, also a former one's."""

    id: UUID
    name: str
    email: str
    role: Role
    state: str
    time_zone: str
    created_at: datetime
    email_verified_at: datetime | None
    mail_paused_at: datetime | None
    mail_paused_reason: MailPause | None
    deleted_at: datetime | None
    forgotten_at: datetime | None
    has_password: bool
    providers: list[str]
    slug: str | None
    seats: int | None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has to do with others: rows with `student_id`, `student_name`, `mentor_id`, `mentor_name`."""

    packs: Sequence[Any]
    seats: Sequence[Any]
    sessions: Sequence[Any]
    orders: Sequence[Any]
    places: Sequence[Any]


async def person(uow: UnitOfWork, user_id: UUID) -> Person:
    """The account. Raises NotFound. One query."""
    providers = (
        sa.select(sa.func.array_agg(UserIdentity.provider))
        .where(UserIdentity.user_id == User.id)
        .scalar_subquery()
    )
    query = (
        sa.select(
            User.id,
            User.name,
            sa.cast(User.email, sa.Text).label("email"),
            User.role,
            account_state.label("state"),
            User.time_zone,
            User.created_at,
            User.email_verified_at,
            User.mail_paused_at,
            User.mail_paused_reason,
            User.deleted_at,
            User.forgotten_at,
            User.password_hash.is_not(None).label("has_password"),
            sa.func.coalesce(providers, sa.text("'{}'")).label("providers"),
            Mentor.slug,
            Mentor.max_active_students.label("seats"),
        )
        .outerjoin(Mentor, Mentor.id == User.id)
        .where(User.id == user_id)
    )
    row = (await uow.session.execute(query)).one_or_none()
    if row is None:
        raise NotFound
    return Person(**row._mapping)


async def history(uow: UnitOfWork, user_id: UUID) -> History:
    """The newest of everything, as student and as mentor. Five queries."""
    return History(
        packs=await _rows(uow, SessionPack, user_id, SessionPack.purchased_at),
        seats=await _rows(uow, SeatReservation, user_id, SeatReservation.changed_at),
        sessions=await _rows(uow, Session, user_id, Session.scheduled_at),
        orders=await _rows(uow, Order, user_id, Order.created_at),
        places=await _rows(uow, WaitlistEntry, user_id, WaitlistEntry.joined_at),
    )


async def _rows(uow: UnitOfWork, table: Any, user_id: UUID, newest: Any) -> Sequence[Any]:
    """The table's columns and both names, the newest first."""
    columns = [column for column in table.__table__.columns if column.name not in _LEFT_OUT]
    query = (
        sa.select(*columns, _student.name.label("student_name"), _mentor.name.label("mentor_name"))
        .join(_student, _student.id == table.student_id)
        .join(_mentor, _mentor.id == table.mentor_id)
        .where(sa.or_(table.student_id == user_id, table.mentor_id == user_id))
        .order_by(newest.desc(), table.id.desc())
        .limit(AT_MOST)
    )
    return (await uow.session.execute(query)).all()


_LEFT_OUT: Final = {"notes", "blocked", "provider_secret"}
