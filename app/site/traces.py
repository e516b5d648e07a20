"""SQL over all slices about one person: what is still owed to or by them, and what they leave behind."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.booking.models import Session, SessionStatus
from app.mentors.models import DateOverride, Mentor, Product
from app.packs.models import PackStatus, SeatReservation, SeatStatus, SessionPack, WaitlistEntry, WaitOutcome
from app.payments.models import Order, OrderStatus, Refund, RefundStatus


async def has_scheduled_sessions(session: AsyncSession, user_id: UUID) -> bool:
    """True if somebody is going to meet this person."""
    theirs = sa.or_(Session.student_id == user_id, Session.mentor_id == user_id)
    query = sa.select(sa.exists().where(theirs, Session.status == SessionStatus.SCHEDULED))
    return bool((await session.execute(query)).scalar_one())


async def has_live_packs(session: AsyncSession, user_id: UUID, now: datetime) -> bool:
    """True if there are sessions left that this person may still take, or has to give."""
    query = sa.select(
        sa.exists().where(
            sa.or_(SessionPack.student_id == user_id, SessionPack.mentor_id == user_id),
            SessionPack.status == PackStatus.ACTIVE,
            SessionPack.remaining_sessions > 0,
            SessionPack.expires_at > now,
        )
    )
    return bool((await session.execute(query)).scalar_one())


async def has_money_moving(session: AsyncSession, user_id: UUID) -> bool:
    """True if this person, or somebody with this mentor, is at the checkout or is being refunded."""
    refunding = sa.exists().where(Refund.order_id == Order.id, Refund.status == RefundStatus.REQUESTED)
    under_way = sa.or_(Order.status == OrderStatus.PENDING, Order.capturing_at.is_not(None), refunding)
    theirs = sa.or_(Order.student_id == user_id, Order.mentor_id == user_id)
    return bool((await session.execute(sa.select(sa.exists().where(theirs, under_way)))).scalar_one())


async def erase(session: AsyncSession, user_id: UUID, now: datetime) -> set[UUID]:
    """Empty notes and teaching profile, take products from sale, free seats and places in a queue.

    Returns the mentors who have a seat free now. Sessions, packs and their ledger stay: they belong to the other person, too, and hold ids only.
    """
    theirs = sa.or_(Session.student_id == user_id, Session.mentor_id == user_id)
    pair = sa.or_(SeatReservation.student_id == user_id, SeatReservation.mentor_id == user_id)
    waiting = sa.or_(WaitlistEntry.student_id == user_id, WaitlistEntry.mentor_id == user_id)
    profile = {"slug": f"former-{user_id.hex}", "headline": "", "bio": "", "working_hours": None}
    released = {
        "status": SeatStatus.RELEASED,
        "seat_expires_at": None,
        "offered_until": None,
        "held_until": None,
        "changed_at": now,
    }
    seats = sa.update(SeatReservation).where(pair, SeatReservation.status != SeatStatus.RELEASED)
    freed = await session.execute(
        seats.values(**released)
        .returning(SeatReservation.mentor_id)
        .execution_options(synchronize_session=False)
    )
    for statement in (
        sa.update(Mentor).where(Mentor.id == user_id).values(**profile, max_active_students=0),
        sa.update(Session).where(theirs, Session.notes != "").values(notes=""),
        sa.update(WaitlistEntry)
        .where(waiting, WaitlistEntry.left_at.is_(None))
        .values(left_at=now, outcome=WaitOutcome.LEFT),
        sa.update(Product).where(Product.mentor_id == user_id).values(active=False),
        sa.delete(DateOverride).where(DateOverride.mentor_id == user_id),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))
    return set(freed.scalars())
