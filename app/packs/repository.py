"""SQL of packs, ledger, seats and waitlist. Locks are taken in one order: mentor, seat, packs by id, session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.core.ids import new_id
from app.mentors.models import Mentor
from app.packs.models import (
    PackEntry,
    PackStatus,
    SeatReservation,
    SeatStatus,
    SessionPack,
    WaitlistEntry,
)


async def lock_mentor(session: AsyncSession, mentor_id: UUID) -> int | None:
    """Lock the mentor's row and return the number of seats; None if there is no such mentor."""
    query = sa.select(Mentor.max_active_students).where(Mentor.id == mentor_id).with_for_update()
    return (await session.execute(query)).scalar_one_or_none()


async def seats_in_use(session: AsyncSession, mentor_id: UUID) -> int:
    """Live seats of the mentor, whoever asks."""
    query = sa.select(sa.func.seats_in_use(mentor_id, type_=sa.Integer))
    return (await session.execute(query)).scalar_one()


async def lock_seat(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> SeatReservation | None:
    """The pair's live seat, locked."""
    query = (
        sa.select(SeatReservation)
        .where(
            SeatReservation.mentor_id == mentor_id,
            SeatReservation.student_id == student_id,
            SeatReservation.status != SeatStatus.RELEASED,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def lock_packs(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> Sequence[SessionPack]:
    """Every pack of the pair by id, locked."""
    query = (
        sa.select(SessionPack)
        .where(SessionPack.mentor_id == mentor_id, SessionPack.student_id == student_id)
        .order_by(SessionPack.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalars().all()


async def add_pack(
    session: AsyncSession,
    *,
    mentor_id: UUID,
    student_id: UUID,
    product_id: UUID | None,
    sessions: int,
    purchased_at: datetime,
    expires_at: datetime,
) -> UUID:
    """A pack without sessions: the ledger brings them."""
    id_ = new_id()
    await session.execute(
        sa.insert(SessionPack).values(
            id=id_,
            mentor_id=mentor_id,
            student_id=student_id,
            product_id=product_id,
            status=PackStatus.ACTIVE,
            frozen=False,
            total_sessions=sessions,
            remaining_sessions=0,
            scheduled_sessions=0,
            purchased_at=purchased_at,
            expires_at=expires_at,
        )
    )
    return id_


async def add_entry(session: AsyncSession, entry: dict[str, object]) -> None:
    """One line of the ledger."""
    await session.execute(sa.insert(PackEntry).values(id=new_id(), **entry))


async def add_seat(session: AsyncSession, mentor_id: UUID, student_id: UUID, now: datetime) -> None:
    """An active seat."""
    await session.execute(
        sa.insert(SeatReservation).values(
            id=new_id(),
            mentor_id=mentor_id,
            student_id=student_id,
            status=SeatStatus.ACTIVE,
            seat_expires_at=None,
            created_at=now,
            changed_at=now,
        )
    )


async def set_seat(
    session: AsyncSession, seat_id: UUID, status: SeatStatus, expires_at: datetime | None, now: datetime
) -> None:
    """Change a seat; the trigger writes its history."""
    await session.execute(
        sa.update(SeatReservation)
        .where(SeatReservation.id == seat_id)
        .values(status=status, seat_expires_at=expires_at, changed_at=now)
    )


async def prolong(session: AsyncSession, pack_id: UUID, at_least: datetime) -> None:
    """Move a pack's expiry to `at_least` where it is earlier."""
    await session.execute(
        sa.update(SessionPack)
        .where(SessionPack.id == pack_id, SessionPack.expires_at < at_least)
        .values(expires_at=at_least)
    )


async def join_waitlist(session: AsyncSession, mentor_id: UUID, student_id: UUID, now: datetime) -> None:
    """Wait for a seat; waiting already changes nothing."""
    await session.execute(
        insert(WaitlistEntry)
        .values(id=new_id(), mentor_id=mentor_id, student_id=student_id, joined_at=now)
        .on_conflict_do_nothing()
    )


async def pack_facts(session: AsyncSession, pack_id: UUID) -> Any:
    """A pack with the names, addresses and zones of its two people (service role only)."""
    student, teacher = aliased(User), aliased(User)
    query = (
        sa.select(
            SessionPack.total_sessions,
            SessionPack.expires_at,
            SessionPack.student_id,
            SessionPack.mentor_id,
            student.name.label("student_name"),
            student.email.label("student_email"),
            student.time_zone.label("student_zone"),
            teacher.name.label("mentor_name"),
            teacher.email.label("mentor_email"),
            Mentor.time_zone.label("mentor_zone"),
        )
        .join(student, student.id == SessionPack.student_id)
        .join(teacher, teacher.id == SessionPack.mentor_id)
        .join(Mentor, Mentor.id == SessionPack.mentor_id)
        .where(SessionPack.id == pack_id)
    )
    return (await session.execute(query)).one()
