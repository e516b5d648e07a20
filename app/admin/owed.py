"""What is still owed to or by a person: while there is anything, their account can't be deleted or become another."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.booking.models import Session, SessionStatus
from app.core import clock
from app.core.errors import Refused
from app.core.unit_of_work import UnitOfWork
from app.packs.models import PackStatus, SeatReservation, SeatStatus, SessionPack
from app.payments.models import Order, OrderStatus, Refund, RefundStatus


async def refuse_while_owed(uow: UnitOfWork, user_id: UUID) -> None:
    """Raise Refused (`sessions_scheduled`, `packs_live`, `money_moving`) while something is owed."""
    if await has_scheduled_sessions(uow.session, user_id):
        raise Refused(
            "sessions_scheduled", "A session is still scheduled. Cancel it, or wait until it is over."
        )
    if await has_live_packs(uow.session, user_id, clock.now()):
        raise Refused("packs_live", "A pack still has sessions left. Use them, or wait until it ends.")
    if await has_money_moving(uow.session, user_id):
        raise Refused("money_moving", "A payment or a refund is under way. Wait until it is done.")


async def refuse_while_seated(uow: UnitOfWork, user_id: UUID) -> None:
    """Raise Refused (`seats_live`) while the person has a seat, or a mentee."""
    theirs = sa.or_(SeatReservation.student_id == user_id, SeatReservation.mentor_id == user_id)
    query = sa.select(sa.exists().where(theirs, SeatReservation.status != SeatStatus.RELEASED))
    if (await uow.session.execute(query)).scalar_one():
        raise Refused("seats_live", "A seat is still taken, held or offered. Release it first.")


async def has_scheduled_sessions(session: AsyncSession, user_id: UUID) -> bool:
    """True if somebody is going to meet this person."""
    theirs = sa.or_(Session.student_id == user_id, Session.mentor_id == user_id)
    query = sa.select(sa.exists().where(theirs, Session.status == SessionStatus.SCHEDULED))
    return bool((await session.execute(query)).scalar_one())


async def has_live_packs(session: AsyncSession, user_id: UUID, now: datetime) -> bool:
    """True if there are sessions left that this person may still take, or has to give; frozen ones may be so again."""
    query = sa.select(
        sa.exists().where(
            sa.or_(SessionPack.student_id == user_id, SessionPack.mentor_id == user_id),
            SessionPack.status == PackStatus.ACTIVE,
            SessionPack.remaining_sessions > 0,
            sa.or_(SessionPack.expires_at > now, SessionPack.frozen),
        )
    )
    return bool((await session.execute(query)).scalar_one())


async def has_money_moving(session: AsyncSession, user_id: UUID) -> bool:
    """True if this person, or somebody with this mentor, is at the checkout or is being refunded."""
    refunding = sa.exists().where(Refund.order_id == Order.id, Refund.status == RefundStatus.REQUESTED)
    under_way = sa.or_(Order.status == OrderStatus.PENDING, Order.capturing_at.is_not(None), refunding)
    theirs = sa.or_(Order.student_id == user_id, Order.mentor_id == user_id)
    return bool((await session.execute(sa.select(sa.exists().where(theirs, under_way)))).scalar_one())
