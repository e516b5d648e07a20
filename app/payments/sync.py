"""Asking a provider about an order and acting on the answer: the only way an order learns what happened outside."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.core import clock
from app.core.errors import Unavailable
from app.core.outbox import Busy, Retry
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.packs import seats
from app.payments import fulfilment, repository
from app.payments.cashier import Cashier
from app.payments.gateway import CheckoutState, CheckoutStatus, ProviderRefused, ProviderUnavailable
from app.payments.models import Order, OrderStatus

logger = logging.getLogger(__name__)

HOLD_ENDED = "hold ended"
CAPTURE_TAKES = timedelta(minutes=5)
"""Longer than any capture under way: whoever began one that is older has died."""


@dataclass(frozen=True)
class Hint:
    """What a webhook said beside the order: ids that we may not have kept yet."""

    session_id: str | None = None
    dispute_id: str | None = None


async def sync(cashier: Cashier, order_id: UUID, hint: Hint = Hint()) -> Order:
    """Bring the order in line with its provider, and take the money of an approved checkout while a seat is there.

    Returns the order as it is then. Raises NotFound, ProviderUnavailable, ProviderRefused.
    """
    order, session_id, dispute_id = await _seen(cashier, order_id, hint)
    if session_id is None:
        return order
    state = await cashier.gateway(order.provider).find(session_id, dispute_id)
    if state.status is CheckoutStatus.APPROVED:
        state = await capture(cashier, order_id, state)
    return await _apply(cashier, order_id, state)


async def close(cashier: Cashier, order_id: UUID, why: str) -> None:
    """End an order's checkout and give its seat back, unless it was paid. Raises Retry, or Busy during a capture.

    `why`: `hold ended`, `canceled` by its buyer, `replaced` by another. What was approved in time is still taken when
    a hold ends. With the provider out of reach the seat goes back all the same when the hold is over.
    """
    order, session_id, _ = await _seen(cashier, order_id, Hint())
    if order.status in repository.PAID:
        return
    if session_id is None:
        await _end(cashier, order_id)
        return
    if order.capturing_at is not None and clock.now() - order.capturing_at < CAPTURE_TAKES:
        ends = order.capturing_at + CAPTURE_TAKES
        raise Busy("the money is being taken just now", after_seconds=(ends - clock.now()).total_seconds())
    over = clock.now() >= order.hold_until
    try:
        state = await cashier.gateway(order.provider).end(session_id)
        in_time = why == HOLD_ENDED and order.status is OrderStatus.PENDING
        if state.status is CheckoutStatus.APPROVED and in_time:
            state = await capture(cashier, order_id, state)
    except (ProviderUnavailable, ProviderRefused, Unavailable) as error:
        if over:
            await _end(cashier, order_id)
        raise Retry(str(error)) from error
    await _apply(cashier, order_id, state)
    if over or state.status is not CheckoutStatus.PENDING:
        await _end(cashier, order_id)


async def capture(cashier: Cashier, order_id: UUID, state: CheckoutState) -> CheckoutState:
    """Take the money of an approved checkout if the order still has a seat, or gets one again.

    No seat, no capture: then `state` is returned as it was. Raises ProviderUnavailable, ProviderRefused.
    """
    async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        order = await fulfilment.locked(uow, order_id)
        if not await _may_capture(uow, order):
            return state
        until = max(order.hold_until, clock.now() + CAPTURE_TAKES)
        if not await seats.hold_again(uow, order.mentor_id, order.student_id, until):
            return state
        if order.capturing_at is None:  # else somebody who tried before has had it looked after already
            await uow.emit("payment/close", {"order_id": order_id, "why": HOLD_ENDED}, at=until)
            await uow.emit("payment/sync", {"order_id": order_id}, at=clock.now() + CAPTURE_TAKES)
        await repository.change(uow.session, order, capturing_at=clock.now(), hold_until=until)
    return await cashier.gateway(order.provider).capture(state.session_id, order_id)


async def _may_capture(uow: UnitOfWork, order: Order) -> bool:
    """False for what is paid or was declined already, and for an order whose buyer replaced it or left for good."""
    if order.status in repository.PAID or order.status is OrderStatus.FAILED:
        return False
    if not await repository.is_here(uow.session, order.student_id):
        return False
    return order.status is OrderStatus.PENDING or not await repository.has_newer(uow.session, order)


async def _seen(cashier: Cashier, order_id: UUID, hint: Hint) -> tuple[Order, str | None, str | None]:
    """The order, its provider's session id, and the id of its dispute; an id that we lacked is kept."""
    async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        order = await repository.order(uow.session, order_id)
        payment = await repository.payment_of(uow.session, order_id)
        if order.provider_session_id is None and hint.session_id is not None:
            await repository.change(uow.session, order, provider_session_id=hint.session_id)
    dispute_id = hint.dispute_id or (payment.provider_dispute_id if payment else None)
    return order, order.provider_session_id, dispute_id


async def _apply(cashier: Cashier, order_id: UUID, state: CheckoutState) -> Order:
    if state.order_id is not None and state.order_id != order_id:
        logger.error(
            "order %s: its checkout %s belongs to order %s", order_id, state.session_id, state.order_id
        )
        async with cashier.database.service(ServiceDoor.JOB) as uow:
            return await repository.order(uow.session, order_id)
    async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        order = await fulfilment.apply(uow, order_id, state)
        if order.capturing_at is not None and state.status is CheckoutStatus.PENDING:
            await repository.change(uow.session, order, capturing_at=None)
    return order


async def _end(cashier: Cashier, order_id: UUID) -> None:
    async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await fulfilment.end(uow, await fulfilment.locked(uow, order_id), OrderStatus.CANCELED)
