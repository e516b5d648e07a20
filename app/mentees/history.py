"""What there was between a mentor and a student: packs, the seat's life, and what the student says of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.accounts.models import StudentProfile
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Product
from app.packs.models import PackStatus, SeatEntry, SessionPack
from app.payments.models import Order


async def packs(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> Sequence[Any]:
    """The pair's packs, the latest first: (id, title, status, total, remaining, purchased_at, expires_at).

    An `active` pack past its expiry reads `expired`, as it does everywhere.
    """
    over = sa.and_(SessionPack.status == PackStatus.ACTIVE, SessionPack.expires_at <= clock.now())
    query = (
        sa.select(
            SessionPack.id,
            sa.func.coalesce(Order.title, Product.title).label("title"),
            sa.case((over, PackStatus.EXPIRED), else_=SessionPack.status).label("status"),
            SessionPack.total_sessions.label("total"),
            SessionPack.remaining_sessions.label("remaining"),
            SessionPack.purchased_at,
            SessionPack.expires_at,
        )
        .outerjoin(Product, Product.id == SessionPack.product_id)
        .outerjoin(Order, Order.pack_id == SessionPack.id)
        .where(SessionPack.mentor_id == mentor_id, SessionPack.student_id == student_id)
        .order_by(SessionPack.purchased_at.desc(), SessionPack.id.desc())
    )
    return (await uow.session.execute(query)).all()


async def seat(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> Sequence[Any]:
    """Every status that the pair's seats had, the latest first: (status, at)."""
    query = (
        sa.select(SeatEntry.status, SeatEntry.at)
        .where(SeatEntry.mentor_id == mentor_id, SeatEntry.student_id == student_id)
        .order_by(SeatEntry.id.desc())
    )
    return (await uow.session.execute(query)).all()


async def profile(uow: UnitOfWork, student_id: UUID) -> Any:
    """What the student wrote for mentors, (about, goals); None where nothing is or the seat is gone."""
    query = sa.select(StudentProfile.about, StudentProfile.goals).where(StudentProfile.user_id == student_id)
    return (await uow.session.execute(query)).one_or_none()
