"""What happens to money after it came: refunds and disputes as the provider tells them, on payment, order and pack."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.booking import service as booking
from app.core import audit, clock
from app.core.errors import Refused
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.packs import seats
from app.packs import service as packs
from app.packs.models import PackStatus, SessionPack
from app.payments import repository, rules
from app.payments.gateway import CheckoutState, DisputeStatus, RefundState
from app.payments.gateway import RefundStatus as Outcome
from app.payments.models import (
    Order,
    OrderFlag,
    OrderStatus,
    Payment,
    Refund,
    RefundOrigin,
    RefundStatus,
)


async def follow(uow: UnitOfWork, order: Order, payment: Payment, state: CheckoutState) -> None:
    """Bring refunds and dispute of a locked order in line with what the provider says."""
    known = await repository.refunds_of(uow.session, order.id)
    for told in state.refunds:
        ours = _known(known, told)
        if ours is not None:
            if ours.status is RefundStatus.FAILED and told.status is not Outcome.FAILED:
                await _reopen(uow, order, payment, ours)
            short = ours.origin is RefundOrigin.PROVIDER and ours.amount < told.amount
            if short and told.status is not Outcome.FAILED:
                await _count(uow, order, payment, ours, told.amount)
            await settle_refund(uow, order, payment, ours, told)
        elif told.status is not Outcome.FAILED:
            await _adopt(uow, order, payment, told)
    if state.dispute is not None:
        await _follow_dispute(uow, order, payment, state.dispute, state.dispute_id)


async def settle_refund(
    uow: UnitOfWork, order: Order, payment: Payment, refund: Refund, told: RefundState
) -> None:
    """Write down what became of one of our refunds."""
    if refund.provider_refund_id is None:
        await repository.change(uow.session, refund, provider_refund_id=told.provider_refund_id)
    if told.status is Outcome.COMPLETED and refund.status is RefundStatus.REQUESTED:
        await complete_refund(uow, order, payment, refund)
    elif told.status is Outcome.FAILED and refund.status is not RefundStatus.FAILED:
        await fail_refund(uow, order, payment, refund, "the provider could not pay it out")


async def complete_refund(uow: UnitOfWork, order: Order, payment: Payment, refund: Refund) -> None:
    """The money went back; both are told."""
    await repository.change(
        uow.session, refund, status=RefundStatus.COMPLETED, settled_at=clock.now(), problem=None
    )
    await recount(uow, order, payment)
    await telling.tell(uow, "refund_issued", {"refund_id": refund.id})


async def fail_refund(uow: UnitOfWork, order: Order, payment: Payment, refund: Refund, problem: str) -> None:
    """The money stays: the sessions come back by the ledger, those that were scheduled stay canceled."""
    await repository.change(
        uow.session, refund, status=RefundStatus.FAILED, settled_at=clock.now(), problem=problem[:300]
    )
    await recount(uow, order, payment)
    if payment.dispute is DisputeStatus.LOST:
        await _lose(uow, order, payment)  # this money went, too
        return
    if refund.sessions:
        await _give_sessions_back(uow, order, payment, refund)
    await raise_flag(uow, order, OrderFlag.REFUND_FAILED, refund.id)


async def _give_sessions_back(uow: UnitOfWork, order: Order, payment: Payment, refund: Refund) -> None:
    """What this refund took from the pack; a dispute that came meanwhile keeps it frozen."""
    pack = await _pack(uow, order)
    if pack is not None and pack.status is PackStatus.REFUNDED and order.status is not OrderStatus.REFUNDED:
        await packs.revive(uow, pack, refund.sessions)
        await packs.freeze(uow, pack.id, payment.dispute is DisputeStatus.OPEN)


async def _reopen(uow: UnitOfWork, order: Order, payment: Payment, refund: Refund) -> None:
    """We took it for failed, and it is not: its money counts again, and the sessions that came back go again."""
    counted = min(refund.amount, payment.amount - payment.refunded_amount)
    if counted != refund.amount:
        await raise_flag(uow, order, OrderFlag.PARTIAL_REFUND, refund.id)
    elif order.flag is OrderFlag.REFUND_FAILED and order.pack_id is not None:
        await repository.change(uow.session, order, flag=_flag_left(payment))
    values = {"status": RefundStatus.REQUESTED, "amount": counted, "settled_at": None, "problem": None}
    await repository.change(uow.session, refund, **values)
    await recount(uow, order, payment)
    if refund.origin is RefundOrigin.ADMIN or payment.refunded_amount == payment.amount:
        await repository.change(uow.session, refund, sessions=await void(uow, order))


async def recount(uow: UnitOfWork, order: Order, payment: Payment) -> None:
    """The payment's and the order's status after a refund changed."""
    refunds = await repository.refunds_of(uow.session, order.id)
    live = [refund for refund in refunds if refund.status is not RefundStatus.FAILED]
    refunded = sum(refund.amount for refund in live)
    voided = bool(live)
    status = rules.payment_status(payment.amount, refunded, voided=voided)
    await repository.change(uow.session, payment, refunded_amount=refunded, status=status)
    if order.paid_at is not None:
        await repository.change(
            uow.session, order, status=rules.order_status(payment.amount, refunded, voided=voided)
        )


async def void(uow: UnitOfWork, order: Order) -> int:
    """Take back what is left of the order's pack: its sessions are canceled, its seat follows; returns how many left."""
    pack = await _pack(uow, order)
    if pack is None or pack.status is PackStatus.REFUNDED:
        return 0
    await booking.cancel_of_pack(uow, pack.id)
    left = pack.remaining_sessions
    await packs.void(uow, pack, left)
    return left


async def raise_flag(uow: UnitOfWork, order: Order, flag: OrderFlag, about: UUID | str | None) -> None:
    """An admin has to look at the order; they are told once for what it is `about`: a refund, a dispute.

    A dispute ends by itself, so its flag takes no other's place: that one waits for an admin all the same.
    """
    if order.flag is None or flag not in (order.flag, OrderFlag.DISPUTED):
        await repository.change(uow.session, order, flag=flag)
        await audit.record(uow, "flag", "orders", order.id, None, {"flag": flag})
    await telling.tell(uow, "order_flagged", {"order_id": order.id, "flag": flag, "about": about})


async def decide(uow: UnitOfWork, order: Order) -> None:
    """An admin has looked at a locked order and done what was to do; what is left is a dispute, if there is one.

    Raises Refused where a dispute is all there is.
    """
    if order.flag is OrderFlag.DISPUTED:
        raise Refused("disputed", "The provider decides about the dispute; the flag goes with its decision.")
    if order.flag is not None:
        left = _flag_left(await repository.payment_of(uow.session, order.id))
        await audit.record(uow, "decide", "orders", order.id, {"flag": order.flag}, {"flag": left})
        await repository.change(uow.session, order, flag=left)


def _flag_left(payment: Payment | None) -> OrderFlag | None:
    """What an order is flagged for when what it was flagged for is settled: a dispute that is open all the same."""
    return OrderFlag.DISPUTED if payment is not None and payment.dispute is DisputeStatus.OPEN else None


def _known(refunds: Sequence[Refund], told: RefundState) -> Refund | None:
    for refund in refunds:
        if told.refund_id == refund.id or told.provider_refund_id == refund.provider_refund_id:
            return refund
    return None


async def _adopt(uow: UnitOfWork, order: Order, payment: Payment, told: RefundState) -> None:
    """A refund made in the provider's own dashboard: a full one voids the pack, a part of it is for an admin."""
    refund_id = await repository.add(
        uow.session,
        Refund,
        order_id=order.id,
        payment_id=payment.id,
        amount=0,
        currency=payment.currency,
        sessions=0,
        status=RefundStatus.REQUESTED,
        origin=RefundOrigin.PROVIDER,
        provider_refund_id=told.provider_refund_id,
        requested_at=clock.now(),
    )
    refund = await repository.refund(uow.session, refund_id)
    await _count(uow, order, payment, refund, told.amount)
    await settle_refund(uow, order, payment, refund, told)


async def _count(uow: UnitOfWork, order: Order, payment: Payment, refund: Refund, amount: int) -> None:
    """Count a refund of the dashboard, as far as there is money that no other refund of ours has claimed.

    What is claimed by a refund that fails later is counted then.
    """
    room = payment.amount - payment.refunded_amount
    counted = refund.amount + min(amount - refund.amount, room)
    whole = payment.refunded_amount + counted - refund.amount == payment.amount
    if counted != refund.amount:
        await repository.change(uow.session, refund, amount=counted)
        await recount(uow, order, payment)
        if whole:
            await repository.change(uow.session, refund, sessions=await void(uow, order))
    if not whole or counted != amount:
        await raise_flag(uow, order, OrderFlag.PARTIAL_REFUND, refund.id)


async def _follow_dispute(
    uow: UnitOfWork, order: Order, payment: Payment, dispute: DisputeStatus, dispute_id: str | None
) -> None:
    """Open: the pack is frozen. Won: it can be spent again. Lost: as a full refund. What was decided stays decided."""
    decided = payment.dispute in (DisputeStatus.WON, DisputeStatus.LOST)
    same = dispute_id is None or dispute_id == payment.provider_dispute_id
    if payment.dispute is dispute or (decided and same):
        return
    await repository.change(uow.session, payment, dispute=dispute, provider_dispute_id=dispute_id)
    pack = await _pack(uow, order)
    if dispute is DisputeStatus.LOST:
        await _lose(uow, order, payment)
    elif pack is not None and pack.status is not PackStatus.REFUNDED:
        await packs.freeze(uow, pack.id, dispute is DisputeStatus.OPEN)
    if dispute is DisputeStatus.OPEN:
        await raise_flag(uow, order, OrderFlag.DISPUTED, dispute_id)
    elif order.flag is OrderFlag.DISPUTED:
        await repository.change(uow.session, order, flag=None)


async def _lose(uow: UnitOfWork, order: Order, payment: Payment) -> None:
    left = payment.amount - payment.refunded_amount
    sessions = await void(uow, order)
    if left:
        await repository.add(
            uow.session,
            Refund,
            order_id=order.id,
            payment_id=payment.id,
            amount=left,
            currency=payment.currency,
            sessions=sessions,
            status=RefundStatus.COMPLETED,
            origin=RefundOrigin.DISPUTE,
            reason="the dispute was lost",
            requested_at=clock.now(),
            settled_at=clock.now(),
        )
    await recount(uow, order, payment)


async def _pack(uow: UnitOfWork, order: Order) -> SessionPack | None:
    """The order's pack, locked after the pair's seat."""
    if order.pack_id is None:
        return None
    pair = await seats.lock_pair(uow, order.mentor_id, order.student_id)
    return next(pack for pack in pair.packs if pack.id == order.pack_id)
