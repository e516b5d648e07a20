"""What notifications about packs, seats and the waitlist say of their two people. The service role's alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.accounts.models import User
from app.mentors.models import Mentor
from app.packs.models import SeatReservation, SessionPack, WaitlistEntry

Id = UUID | InstrumentedAttribute[UUID]


async def of_seat(session: AsyncSession, seat_id: UUID) -> Any:
    """A seat's two people with their names, addresses and zones, its status and its end."""
    query = _two(SeatReservation.mentor_id, SeatReservation.student_id).add_columns(
        SeatReservation.status, SeatReservation.seat_expires_at
    )
    return (await session.execute(query.where(SeatReservation.id == seat_id))).one()


async def of_place(session: AsyncSession, entry_id: UUID) -> Any:
    """The two people of a place on a waitlist."""
    query = _two(WaitlistEntry.mentor_id, WaitlistEntry.student_id).where(WaitlistEntry.id == entry_id)
    return (await session.execute(query)).one()


async def of_pair(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> Any:
    """The two people by their ids."""
    return (await session.execute(_two(mentor_id, student_id))).one()


async def of_pack(session: AsyncSession, pack_id: UUID) -> Any:
    """A pack with its two people."""
    return (await session.execute(_packs().where(SessionPack.id == pack_id))).one()


async def of_packs(session: AsyncSession, pack_ids: Sequence[UUID]) -> Sequence[Any]:
    """As `of_pack` for each of these packs, the first to expire first."""
    query = _packs().where(SessionPack.id.in_(pack_ids)).order_by(SessionPack.expires_at, SessionPack.id)
    return (await session.execute(query)).all()


async def mentor(session: AsyncSession, mentor_id: UUID) -> Any:
    """(id, name, email) of a mentor."""
    return (
        await session.execute(sa.select(User.id, User.name, User.email).where(User.id == mentor_id))
    ).one()


def _two(mentor_id: Id, student_id: Id) -> sa.Select[*tuple[Any, ...]]:
    student, teacher = aliased(User), aliased(User)
    return (
        sa.select(
            student.id.label("student_id"),
            teacher.id.label("mentor_id"),
            student.name.label("student_name"),
            student.email.label("student_email"),
            student.time_zone.label("student_zone"),
            teacher.name.label("mentor_name"),
            teacher.email.label("mentor_email"),
            Mentor.time_zone.label("mentor_zone"),
            Mentor.slug,
        )
        .select_from(Mentor)
        .join(teacher, teacher.id == Mentor.id)
        .join(student, sa.true())
        .where(Mentor.id == mentor_id, student.id == student_id)
    )


def _packs() -> sa.Select[*tuple[Any, ...]]:
    return _two(SessionPack.mentor_id, SessionPack.student_id).add_columns(
        SessionPack.status,
        SessionPack.frozen,
        SessionPack.total_sessions,
        SessionPack.remaining_sessions,
        SessionPack.scheduled_sessions,
        SessionPack.expires_at,
    )
