"""Refunds: quoted before the click, written down with everything they change, paid out by a job."""

from __future__ import annotations

from uuid import UUID

from app.core import audit, clock
from app.core.errors import Invalid, Refused
from app.core.outbox import Retry
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.packs import seats
from app.payments import fulfilment, repository, rules, settlement
from app.payments.cashier import Cashier
from app.payments.gateway import DisputeStatus, ProviderRefused, ProviderUnavailable, RefundState
from app.payments.models import Order, Payment, Refund, RefundOrigin, RefundStatus
from app.payments.rules import Quote

REASON_LENGTH = 300


async def quote(uow: UnitOfWork, order_id: UUID) -> Quote:
    """What an order would bring back now. Raises NotFound, Refused if nothing can go back."""
    order = await repository.order(uow.session, order_id)
    return (await _quote(uow, order))[0]


async def request(uow: UnitOfWork, order_id: UUID, *, quoted: int, reason: str) -> UUID:
    """Refund an order by an admin's decision, in the caller's transaction; a job pays it out. Returns the refund's id.

    The pack's sessions that are left go, those scheduled are canceled, the seat follows. `quoted` is what the admin
    saw, in minor units: Refused("quote_changed") if it isn't that any more. Raises NotFound, Invalid, Refused.
    """
    words = " ".join(reason.split())
    if not words or len(words) > REASON_LENGTH:
        raise Invalid({"reason": f"Say why, in at most {REASON_LENGTH} characters."})
    order = await fulfilment.locked(uow, order_id)
    offer, payment = await _quote(uow, order)
    if offer.amount != quoted:
        raise Refused(
            "quote_changed", "The refund is another amount by now. Nothing was changed; look at it again."
        )
    sessions = await settlement.void(uow, order)
    refund_id = await _write(uow, order, payment, offer.amount, sessions, words)
    await settlement.recount(uow, order, payment)
    if order.pack_id is not None and order.flag is not None:
        await settlement.decide(uow, order)  # this is the decision that was waited for
    await audit.record(
        uow,
        "refund",
        "orders",
        order.id,
        None,
        {"refund_id": str(refund_id), "amount": offer.amount, "sessions": sessions},
    )
    return refund_id


async def _write(
    uow: UnitOfWork, order: Order, payment: Payment, amount: int, sessions: int, reason: str
) -> UUID:
    """The refund; one of nothing is done at once."""
    refund_id = await repository.add(
        uow.session,
        Refund,
        order_id=order.id,
        payment_id=payment.id,
        amount=amount,
        currency=payment.currency,
        sessions=sessions,
        status=RefundStatus.REQUESTED if amount else RefundStatus.COMPLETED,
        origin=RefundOrigin.ADMIN,
        reason=reason,
        requested_by=uow.principal.user_id,
        requested_at=clock.now(),
        settled_at=None if amount else clock.now(),
    )
    if amount:
        await uow.emit("payment/refund", {"refund_id": refund_id}, key=f"refund:{refund_id}")
    else:
        await telling.tell(uow, "refund_issued", {"refund_id": refund_id})
    return refund_id


async def pay(cashier: Cashier, refund_id: UUID) -> None:
    """Have the provider pay a requested refund out, once however often it is called. Raises Retry."""
    async with cashier.database.service(ServiceDoor.JOB) as uow:
        refund = await repository.refund(uow.session, refund_id)
        order = await repository.order(uow.session, refund.order_id)
        payment = await repository.payment_of(uow.session, refund.order_id)
    ours = refund.origin in (RefundOrigin.ADMIN, RefundOrigin.AUTOMATIC)
    if refund.status is not RefundStatus.REQUESTED or not ours or payment is None:
        return
    if not refund.amount:
        await _settle(cashier, refund_id, None, "")
        return
    try:
        told = await cashier.gateway(order.provider).refund(
            order.provider_session_id or "",
            payment.provider_payment_id,
            amount=refund.amount,
            currency=refund.currency,
            refund_id=refund.id,
        )
    except ProviderUnavailable as error:
        raise Retry(str(error)) from error
    except ProviderRefused as error:
        await _settle(cashier, refund_id, None, str(error))
        return
    await _settle(cashier, refund_id, told, "")


async def _settle(cashier: Cashier, refund_id: UUID, told: RefundState | None, problem: str) -> None:
    async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        seen = await repository.refund(uow.session, refund_id)
        order = await fulfilment.locked(uow, seen.order_id)
        refund = await repository.refund(uow.session, refund_id)
        payment = await repository.payment_of(uow.session, order.id)
        if payment is None or refund.status is not RefundStatus.REQUESTED:
            return
        if problem:
            await settlement.fail_refund(uow, order, payment, refund, problem)
            await uow.emit("payment/sync", {"order_id": order.id})  # somebody may have given it back by hand
        elif told is None:
            await settlement.complete_refund(uow, order, payment, refund)
        else:
            await settlement.settle_refund(uow, order, payment, refund, told)


async def _quote(uow: UnitOfWork, order: Order) -> tuple[Quote, Payment]:
    payment = await repository.payment_of(uow.session, order.id)
    if payment is None:
        raise Refused("not_paid", "Nothing was paid for this order, so nothing can go back.", status=422)
    if payment.dispute is DisputeStatus.OPEN:
        raise Refused(
            "disputed", "The payment is disputed: the provider decides about it now. Nothing was changed."
        )
    refunds = await repository.refunds_of(uow.session, order.id)
    if any(refund.status is RefundStatus.REQUESTED for refund in refunds):
        raise Refused("refund_under_way", "A refund of this order is under way. Nothing was changed.")
    offer = await _offer(uow, order, payment)
    done = payment.amount > 0 and payment.refunded_amount == payment.amount
    if done or (offer.amount == 0 and offer.sessions == 0):
        raise Refused("nothing_left", "Nothing is left to give back for this order.", status=422)
    return offer, payment


async def _offer(uow: UnitOfWork, order: Order, payment: Payment) -> Quote:
    if order.pack_id is None:
        return Quote(payment.amount - payment.refunded_amount, 0)
    pair = await seats.lock_pair(uow, order.mentor_id, order.student_id)
    pack = next(pack for pack in pair.packs if pack.id == order.pack_id)
    return rules.quote(
        paid=payment.amount,
        refunded=payment.refunded_amount,
        total_sessions=pack.total_sessions,
        remaining=pack.remaining_sessions,
    )
