"""SQL of the waitlist. A place is changed by statements that look again: two that meet can't both have it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.core.ids import new_id
from app.core.unit_of_work import Role
from app.packs.models import SeatReservation, SeatStatus, WaitlistEntry, WaitOutcome

_waits = WaitlistEntry.left_at.is_(None)
_seat_of_same_pair = sa.and_(
    SeatReservation.mentor_id == WaitlistEntry.mentor_id,
    SeatReservation.student_id == WaitlistEntry.student_id,
)


async def join(session: AsyncSession, mentor_id: UUID, student_id: UUID, now: datetime) -> None:
    """Wait for a seat; waiting already changes nothing."""
    await session.execute(
        insert(WaitlistEntry)
        .values(id=new_id(), mentor_id=mentor_id, student_id=student_id, joined_at=now)
        .on_conflict_do_nothing()
    )


async def end(
    session: AsyncSession, mentor_id: UUID, student_id: UUID, outcome: WaitOutcome, now: datetime
) -> UUID | None:
    """The student no longer waits; the entry's id, None if they didn't."""
    query = (
        sa.update(WaitlistEntry)
        .where(WaitlistEntry.mentor_id == mentor_id, WaitlistEntry.student_id == student_id, _waits)
        .values(left_at=now, outcome=outcome)
        .returning(WaitlistEntry.id)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def end_all(session: AsyncSession, user_id: UUID, now: datetime) -> list[UUID]:
    """The user no longer waits, nor anybody for them (service role only); the entries of the others."""
    theirs = sa.or_(WaitlistEntry.student_id == user_id, WaitlistEntry.mentor_id == user_id)
    own = WaitlistEntry.student_id == user_id
    query = (
        sa.update(WaitlistEntry)
        .where(theirs, _waits)
        .values(left_at=now, outcome=sa.case((own, WaitOutcome.LEFT), else_=WaitOutcome.REMOVED))
        .returning(WaitlistEntry.id, WaitlistEntry.student_id)
        .execution_options(synchronize_session=False)
    )
    return [id_ for id_, student_id in (await session.execute(query)) if student_id != user_id]


async def end_of_seated(session: AsyncSession, mentor_id: UUID, now: datetime) -> None:
    """Who got a seat in another way, at the moment they joined, waits no longer (service role only)."""
    kept = (SeatStatus.ACTIVE, SeatStatus.GRACE)
    seated = sa.exists().where(_seat_of_same_pair, SeatReservation.status.in_(kept))
    await session.execute(
        sa.update(WaitlistEntry)
        .where(WaitlistEntry.mentor_id == mentor_id, _waits, seated)
        .values(left_at=now, outcome=WaitOutcome.SEATED)
        .execution_options(synchronize_session=False)
    )


async def first(session: AsyncSession, mentor_id: UUID) -> WaitlistEntry | None:
    """Who has waited longest without an offer (service role only); not who holds a seat just now, paying for it.

    Nor whose account is deleted, or the mentor's: their place is kept in case it is restored.
    """
    student, teacher = aliased(User), aliased(User)
    seated = sa.exists().where(_seat_of_same_pair, SeatReservation.status != SeatStatus.RELEASED)
    query = (
        sa.select(WaitlistEntry)
        .join(student, sa.and_(student.id == WaitlistEntry.student_id, student.role == Role.STUDENT))
        .join(teacher, sa.and_(teacher.id == WaitlistEntry.mentor_id, teacher.role == Role.MENTOR))
        .where(student.deleted_at.is_(None), teacher.deleted_at.is_(None))
        .where(WaitlistEntry.mentor_id == mentor_id, _waits, WaitlistEntry.offered_at.is_(None), ~seated)
        .order_by(WaitlistEntry.joined_at, WaitlistEntry.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def mark_offered(session: AsyncSession, entry_id: UUID, now: datetime) -> bool:
    """A seat is offered to who waits with this entry; False if they left a moment ago."""
    query = (
        sa.update(WaitlistEntry)
        .where(WaitlistEntry.id == entry_id, _waits, WaitlistEntry.offered_at.is_(None))
        .values(offered_at=now)
        .returning(WaitlistEntry.id)
    )
    return (await session.execute(query)).scalar_one_or_none() is not None


async def waiting(session: AsyncSession, entry_id: UUID) -> WaitlistEntry | None:
    """A place on a waitlist that is still waited on."""
    query = sa.select(WaitlistEntry).where(WaitlistEntry.id == entry_id, _waits)
    return (await session.execute(query)).scalar_one_or_none()
