"""SQL of orders and money. Locks: the mentor first, then the order, the seat, packs by id, sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app.accounts.models import User
from app.accounts.people import person
from app.core.db import Base
from app.core.errors import NotFound
from app.core.ids import new_id
from app.mentors.models import Mentor, Product
from app.payments.cashier import Grandfathering
from app.payments.gateway import Provider
from app.payments.models import (
    Order,
    OrderStatus,
    Payment,
    ReconciliationFinding,
    ReconciliationRun,
    Refund,
    RefundStatus,
)

T = TypeVar("T", bound=Base)

PAID = (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED, OrderStatus.REFUNDED)


async def _one(session: AsyncSession, query: sa.Select[T]) -> T | None:
    return (await session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def order(session: AsyncSession, order_id: UUID, *, lock: bool = False) -> Order:
    """An order that the asker may see. Raises NotFound. `lock`: after its mentor."""
    query = sa.select(Order).where(Order.id == order_id)
    found = await _one(session, query.with_for_update() if lock else query)
    if found is None:
        raise NotFound
    return found


async def open_order(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> Order | None:
    """The pair's one pending order."""
    query = sa.select(Order).where(
        Order.mentor_id == mentor_id, Order.student_id == student_id, Order.status == OrderStatus.PENDING
    )
    return await _one(session, query)


async def is_held(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> bool:
    """True if an order of the pair is open, or its money is being taken: the held seat is its."""
    holder = sa.exists().where(
        Order.mentor_id == mentor_id,
        Order.student_id == student_id,
        sa.or_(Order.status == OrderStatus.PENDING, Order.capturing_at.is_not(None)),
    )
    return bool((await session.execute(sa.select(holder))).scalar_one())


async def has_newer(session: AsyncSession, order: Order) -> bool:
    """True if the pair bought, or is buying, with an order made after this one."""
    newer = sa.exists().where(
        Order.mentor_id == order.mentor_id,
        Order.student_id == order.student_id,
        sa.tuple_(Order.created_at, Order.id) > (order.created_at, order.id),
        Order.status.in_((OrderStatus.PENDING, *PAID)),
    )
    return bool((await session.execute(sa.select(newer))).scalar_one())


async def order_of(
    session: AsyncSession,
    provider: Provider,
    *,
    order_id: UUID | None = None,
    session_id: str | None = None,
    payment_id: str | None = None,
) -> Order | None:
    """The order that a provider speaks of, by the first of the given ids that leads to one."""
    queries = {
        Order.id == order_id: order_id,
        Order.provider_session_id == session_id: session_id,
        Order.id
        == sa.select(Payment.order_id)
        .where(Payment.provider == provider, Payment.provider_payment_id == payment_id)
        .scalar_subquery(): payment_id,
    }
    for condition, given in queries.items():
        if given is not None:
            found = await _one(session, sa.select(Order).where(Order.provider == provider, condition))
            if found is not None:
                return found
    return None


async def add(session: AsyncSession, model: type[Base], **values: Any) -> UUID:
    """A new row; its id."""
    id_ = new_id()
    await session.execute(sa.insert(model).values(id=id_, **values))
    return id_


async def change(session: AsyncSession, row: Order | Payment | Refund, **values: Any) -> None:
    """Change a row, here and in the database."""
    model = type(row)
    await session.execute(
        sa.update(model)
        .where(model.id == row.id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    for name, value in values.items():
        set_committed_value(row, name, value)


async def payment_of(session: AsyncSession, order_id: UUID) -> Payment | None:
    """The order's payment."""
    return await _one(session, sa.select(Payment).where(Payment.order_id == order_id))


async def refund(session: AsyncSession, refund_id: UUID) -> Refund:
    """A refund. Raises NotFound."""
    found = await _one(session, sa.select(Refund).where(Refund.id == refund_id))
    if found is None:
        raise NotFound
    return found


async def refunds_of(session: AsyncSession, order_id: UUID) -> Sequence[Refund]:
    """The order's refunds, the oldest first."""
    query = sa.select(Refund).where(Refund.order_id == order_id).order_by(Refund.requested_at, Refund.id)
    return (await session.execute(query.execution_options(populate_existing=True))).scalars().all()


async def product_on_sale(session: AsyncSession, product_id: UUID) -> Any:
    """An active product with its mentor's name and slug. Raises NotFound."""
    mentor = person(Product.mentor_id, "mentor")
    query = (
        sa.select(Product, mentor.c.name.label("mentor_name"), Mentor.slug, Mentor.session_minutes)
        .join(Mentor, Mentor.id == Product.mentor_id)
        .join(mentor, sa.true())
        .where(Product.id == product_id, Product.active, mentor.c.listed)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFound("This pack is not on sale any more. Nothing was charged.")
    return found


async def buyer(session: AsyncSession, student_id: UUID) -> Any:
    """A student's address and name (service role only)."""
    query = sa.select(User.email, User.name).where(User.id == student_id, User.deleted_at.is_(None))
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def is_here(session: AsyncSession, student_id: UUID) -> bool:
    """False for who had their account erased (service role only)."""
    living = sa.exists().where(User.id == student_id, User.deleted_at.is_(None))
    return bool((await session.execute(sa.select(living))).scalar_one())


async def is_loyal(session: AsyncSession, student_id: UUID, rule: Grandfathering | None) -> bool:
    """True if the student paid for an order before the rule's day, and keeps the old price."""
    if rule is None:
        return False
    earlier = sa.exists().where(Order.student_id == student_id, Order.paid_at < rule.before)
    return bool((await session.execute(sa.select(earlier))).scalar_one())


def _comparable(since: datetime) -> sa.ColumnElement[bool]:
    """Orders that a provider may know more about: open ones, recent ones, and those whose money is on its way."""
    moving = sa.exists().where(Refund.order_id == Order.id, Refund.status == RefundStatus.REQUESTED)
    return sa.or_(Order.status == OrderStatus.PENDING, Order.created_at >= since, moving)


async def orders_to_compare(
    session: AsyncSession, since: datetime, after: UUID, limit: int
) -> Sequence[UUID]:
    """Orders that a provider may know more about, by id from behind `after`; `since`: which count as recent."""
    query = sa.select(Order.id).where(_comparable(since), Order.id > after).order_by(Order.id).limit(limit)
    return (await session.execute(query)).scalars().all()


async def refunds_waiting(session: AsyncSession) -> Sequence[UUID]:
    """Refunds that the provider hasn't confirmed."""
    query = sa.select(Refund.id).where(Refund.status == RefundStatus.REQUESTED).order_by(Refund.requested_at)
    return (await session.execute(query)).scalars().all()


async def find_run(session: AsyncSession, run_id: UUID) -> ReconciliationRun | None:
    """A reconciliation."""
    return await _one(session, sa.select(ReconciliationRun).where(ReconciliationRun.id == run_id))


async def finish_run(session: AsyncSession, run_id: UUID, now: datetime, since: datetime) -> None:
    """A reconciliation came to its end."""
    compared = sa.select(sa.func.count()).select_from(Order).where(_comparable(since)).scalar_subquery()
    await session.execute(
        sa.update(ReconciliationRun)
        .where(ReconciliationRun.id == run_id)
        .values(checked=compared, finished_at=now)
    )


async def note_finding(session: AsyncSession, **values: Any) -> None:
    """What a reconciliation found about an order; once a run."""
    await session.execute(
        insert(ReconciliationFinding).values(id=new_id(), **values).on_conflict_do_nothing()
    )
