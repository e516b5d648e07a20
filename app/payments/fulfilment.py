"""Bringing an order in line with what its provider says: the one way money turns into a pack and a seat, and back.

The webhook job, the buyer's return, the end of a hold and reconciliation all come here with the checkout as the
provider knows it now. Applying the same state again changes nothing, and an older state undoes nothing.
"""

from __future__ import annotations

from uuid import UUID

from app.core import audit, clock
from app.core.errors import Refused
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.packs import seats
from app.packs import service as packs
from app.packs.models import EntryKind
from app.payments import repository, rules, settlement
from app.payments.gateway import CheckoutState, CheckoutStatus
from app.payments.models import (
    Order,
    OrderFlag,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundOrigin,
    RefundStatus,
)


async def apply(uow: UnitOfWork, order_id: UUID, state: CheckoutState) -> Order:
    """Bring the order in line with `state`, in the caller's transaction (service); returns the order as it is then."""
    order = await locked(uow, order_id)
    if state.status is CheckoutStatus.PAID and not await repository.payment_of(uow.session, order.id):
        await _take_money(uow, order, state)
    elif state.status is CheckoutStatus.DECLINED:
        await end(uow, order, OrderStatus.FAILED)
    elif state.status is CheckoutStatus.EXPIRED:
        await end(uow, order, OrderStatus.CANCELED)
    payment = await repository.payment_of(uow.session, order.id)
    if payment is not None:
        await settlement.follow(uow, order, payment, state)
    return order


async def locked(uow: UnitOfWork, order_id: UUID) -> Order:
    """The order, locked after its mentor. Raises NotFound."""
    seen = await repository.order(uow.session, order_id)
    await seats.lock_mentor(uow, seen.mentor_id)
    return await repository.order(uow.session, order_id, lock=True)


async def end(uow: UnitOfWork, order: Order, status: OrderStatus) -> None:
    """Nobody pays for a locked order any more: its seat goes back, unless another order of the pair holds it."""
    if order.paid_at is not None:
        return
    if order.status is OrderStatus.PENDING:
        await repository.change(uow.session, order, status=status, ended_at=clock.now())
    if order.capturing_at is not None:
        await repository.change(uow.session, order, capturing_at=None)
    if not await repository.is_held(uow.session, order.mentor_id, order.student_id):
        await seats.give_back(uow, order.mentor_id, order.student_id)


async def _take_money(uow: UnitOfWork, order: Order, state: CheckoutState) -> None:
    payment_id = await _record(uow, order, state)
    flag = rules.mismatch(order.currency, order.original_amount, state)
    if flag is not None:
        await end(uow, order, OrderStatus.FAILED)
        await settlement.raise_flag(uow, order, flag, payment_id)
        return
    await repository.change(
        uow.session,
        order,
        status=OrderStatus.PAID,
        paid_at=clock.now(),
        ended_at=None,
        capturing_at=None,
        discount_amount=state.discount,
        discount_code=state.discount_code or order.discount_code,
        tax_amount=state.tax,
        total_amount=state.total,
    )
    await audit.record(
        uow, "pay", "orders", order.id, None, {"amount": state.total, "currency": state.currency}
    )
    try:
        await _hand_over(uow, order)
    except Refused:
        await _return_money(uow, order, payment_id, state.total)


async def _record(uow: UnitOfWork, order: Order, state: CheckoutState) -> UUID:
    """The payment; one of nothing is known by the provider's session."""
    return await repository.add(
        uow.session,
        Payment,
        order_id=order.id,
        provider=order.provider,
        provider_payment_id=state.payment_id or state.session_id,
        status=PaymentStatus.COMPLETED,
        amount=state.total,
        currency=state.currency,
        refunded_amount=0,
        created_at=clock.now(),
    )


async def _hand_over(uow: UnitOfWork, order: Order) -> None:
    """Pack, ledger and seat. Raises Refused where no seat is free: then nothing was handed over."""
    pack_id = await packs.add(
        uow,
        mentor_id=order.mentor_id,
        student_id=order.student_id,
        sessions=order.sessions,
        validity_days=order.validity_days,
        kind=EntryKind.PURCHASE,
        product_id=order.product_id,
    )
    await repository.change(uow.session, order, pack_id=pack_id)
    await telling.tell(uow, "pack_purchased", {"order_id": order.id})


async def _return_money(uow: UnitOfWork, order: Order, payment_id: UUID, amount: int) -> None:
    """The seat was lost before the money came, and none is free: all of it goes back, and both are told."""
    refund_id = await repository.add(
        uow.session,
        Refund,
        order_id=order.id,
        payment_id=payment_id,
        amount=amount,
        currency=order.currency,
        sessions=0,
        status=RefundStatus.REQUESTED,
        origin=RefundOrigin.AUTOMATIC,
        reason="no seat was free when the payment arrived",
        requested_at=clock.now(),
    )
    payment = await repository.payment_of(uow.session, order.id)
    if payment is not None:
        await settlement.recount(uow, order, payment)
    await repository.change(uow.session, order, flag=OrderFlag.NO_SEAT)
    await uow.emit("payment/refund", {"refund_id": refund_id}, key=f"refund:{refund_id}")
    await telling.tell(uow, "payment_returned", {"order_id": order.id})
