"""What pages and mails read about sales: orders with their people, money and pack; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.accounts.people import found_by, person
from app.core import clock
from app.core.errors import NotFound
from app.core.unit_of_work import Role
from app.mentors.models import Mentor
from app.packs.models import PackStatus, SessionPack
from app.payments.models import Order, OrderStatus, Payment, ReconciliationFinding, ReconciliationRun, Refund

_student, _mentor = aliased(User), aliased(User)
_buyers = person(Order.student_id, "buyers", with_email=True)
_sellers = person(Order.mentor_id, "sellers")


async def sale(session: AsyncSession, order_id: UUID) -> Any:
    """An order with names, addresses and zones of its two people (service role only). Raises NotFound."""
    query = (
        sa.select(
            Order.id.label("order_id"),
            *(getattr(Order, name) for name in _MONEY),
            Order.student_id,
            Order.mentor_id,
            _student.name.label("student_name"),
            _student.email.label("student_email"),
            _student.time_zone.label("student_zone"),
            _mentor.name.label("mentor_name"),
            _mentor.email.label("mentor_email"),
            Mentor.time_zone.label("mentor_zone"),
            Mentor.slug,
            SessionPack.expires_at,
        )
        .join(_student, _student.id == Order.student_id)
        .join(_mentor, _mentor.id == Order.mentor_id)
        .join(Mentor, Mentor.id == Order.mentor_id)
        .outerjoin(SessionPack, SessionPack.id == Order.pack_id)
        .where(Order.id == order_id)
    )
    return _found((await session.execute(query)).one_or_none())


_MONEY = (
    *(
        "title",
        "sessions",
        "validity_days",
        "currency",
        "original_amount",
        "discount_amount",
        "discount_code",
    ),
    *("tax_amount", "total_amount", "provider", "status", "flag", "created_at", "paid_at", "hold_until"),
)


async def refund(session: AsyncSession, refund_id: UUID) -> Any:
    """A refund. Raises NotFound."""
    query = sa.select(Refund.order_id, Refund.amount, Refund.currency, Refund.sessions, Refund.origin)
    return _found((await session.execute(query.where(Refund.id == refund_id))).one_or_none())


async def admins(session: AsyncSession) -> Sequence[Any]:
    """Every admin with name and address (service role only)."""
    query = sa.select(User.id, User.name, User.email).where(
        User.role == Role.ADMIN, User.deleted_at.is_(None), User.email_verified_at.is_not(None)
    )
    return (await session.execute(query.order_by(User.created_at, User.id))).all()


def _orders() -> sa.Select[*tuple[Any, ...]]:
    """Orders as the asker may see them, with the names of both and what was paid."""
    return (
        sa.select(
            Order.id,
            *(getattr(Order, name) for name in _MONEY),
            Order.student_id,
            Order.mentor_id,
            Order.product_id,
            Order.pack_id,
            Order.provider_session_id,
            Order.checkout_url,
            _buyers.c.name.label("student_name"),
            _buyers.c.email.label("student_email"),
            _sellers.c.name.label("mentor_name"),
            Mentor.slug,
            Payment.provider_payment_id,
            Payment.amount.label("paid_amount"),
            Payment.currency.label("paid_currency"),
            Payment.refunded_amount,
            Payment.dispute,
        )
        .join(Mentor, Mentor.id == Order.mentor_id)
        .outerjoin(_buyers, sa.true())
        .outerjoin(_sellers, sa.true())
        .outerjoin(Payment, Payment.order_id == Order.id)
    )


async def order(session: AsyncSession, order_id: UUID) -> Any:
    """An order that the asker may see, with its people and money. Raises NotFound."""
    return _found((await session.execute(_orders().where(Order.id == order_id))).one_or_none())


async def orders(
    session: AsyncSession, words: str, status: str, *, limit: int, offset: int
) -> tuple[Sequence[Any], int]:
    """Orders by name or address of a person and by status (or `flagged`), the newest first; and how many there are."""
    wanted: list[sa.ColumnElement[bool]] = []
    if words:
        people = found_by(words)
        reference = Order.provider_session_id.icontains(words, autoescape=True)
        wanted.append(Order.student_id.in_(people) | Order.mentor_id.in_(people) | reference)
    if status == "flagged":
        wanted.append(Order.flag.is_not(None))
    elif status:
        wanted.append(Order.status == OrderStatus(status))
    counted = sa.select(sa.func.count()).select_from(Order).where(*wanted)
    total = (await session.execute(counted)).scalar_one()
    newest = _orders().where(*wanted).order_by(Order.created_at.desc(), Order.id.desc())
    return (await session.execute(newest.limit(limit).offset(offset))).all(), total


async def refunds(session: AsyncSession, order_id: UUID) -> Sequence[Refund]:
    """The order's refunds, the oldest first."""
    query = sa.select(Refund).where(Refund.order_id == order_id).order_by(Refund.requested_at, Refund.id)
    return (await session.execute(query)).scalars().all()


async def sessions_left(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> int:
    """How many sessions a student could still book with a mentor, over all packs that can be spent."""
    free = sa.func.sum(SessionPack.remaining_sessions - SessionPack.scheduled_sessions)
    query = sa.select(sa.func.coalesce(free, 0)).where(
        SessionPack.mentor_id == mentor_id,
        SessionPack.student_id == student_id,
        SessionPack.status == PackStatus.ACTIVE,
        SessionPack.expires_at > clock.now(),
    )
    return int((await session.execute(query)).scalar_one())


async def last_run(session: AsyncSession) -> tuple[ReconciliationRun | None, Sequence[Any]]:
    """The newest comparison with the providers, and what it found."""
    newest = sa.select(ReconciliationRun).order_by(ReconciliationRun.started_at.desc()).limit(1)
    run = (await session.execute(newest)).scalar_one_or_none()
    if run is None:
        return None, []
    query = (
        sa.select(
            ReconciliationFinding.order_id,
            ReconciliationFinding.code,
            ReconciliationFinding.repaired,
            Order.title,
            Order.status,
            _buyers.c.name.label("student_name"),
        )
        .join(Order, Order.id == ReconciliationFinding.order_id)
        .outerjoin(_buyers, sa.true())
        .where(ReconciliationFinding.run_id == run.id)
        .order_by(ReconciliationFinding.found_at)
        .limit(200)
    )
    return run, (await session.execute(query)).all()


def _found(row: Any) -> Any:
    if row is None:
        raise NotFound
    return row
