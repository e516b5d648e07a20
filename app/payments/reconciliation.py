"""Reconciliation: our orders against what their providers know, once a day and when an admin asks.

What fulfilment can repair is repaired by asking as usual; what differs all the same is listed with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final
from uuid import UUID

from app.core import clock
from app.core.errors import Unavailable
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.payments import repository
from app.payments.cashier import Cashier
from app.payments.gateway import ProviderRefused, ProviderUnavailable
from app.payments.models import Order, OrderFlag, OrderStatus, ReconciliationRun
from app.payments.sync import sync

RECENT: Final = timedelta(days=180)
"""As long as PayPal lets money be given back and payments be disputed."""
BATCH: Final = 50
ENOUGH_SECONDS: Final = 45.0
"""Of machine time for one batch: a provider that keeps each question waiting must not use up the time of a job."""
FROM_THE_FIRST: Final = UUID(int=0)


@dataclass(frozen=True)
class Finding:
    """Where an order and its provider differed."""

    code: str
    repaired: bool


async def request(uow: UnitOfWork) -> UUID:
    """Have everything compared soon, for the admin that `uow` is bound to; the run's id."""
    run_id = await repository.add(
        uow.session, ReconciliationRun, requested_by=uow.principal.user_id, started_at=clock.now(), checked=0
    )
    await uow.emit("payment/reconcile", {"run_id": run_id}, key=f"payment/reconcile:{run_id}")
    return run_id


async def run(cashier: Cashier, run_id: UUID, after: UUID = FROM_THE_FIRST) -> None:
    """Compare, repair and list the next orders behind `after`, and have those behind them compared.

    A batch that was cut off is gone over again; nothing is listed twice.
    """
    async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        found = await repository.find_run(uow.session, run_id)
        if found is None or found.finished_at is not None:
            return
        if after == FROM_THE_FIRST:
            await _pay_out(uow, run_id)
        order_ids = await repository.orders_to_compare(uow.session, found.started_at - RECENT, after, BATCH)
    began, compared = monotonic(), 0
    for order_id in order_ids:
        if compared and monotonic() - began > ENOUGH_SECONDS:
            break
        finding = await compare(cashier, order_id)
        if finding is not None:
            await _note(cashier, run_id, order_id, finding)
        compared += 1
    async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        if compared < len(order_ids) or len(order_ids) == BATCH:
            last = order_ids[compared - 1]
            await uow.emit(
                "payment/reconcile",
                {"run_id": run_id, "after": last},
                key=f"payment/reconcile:{run_id}:{last}",
            )
        else:
            await repository.finish_run(uow.session, run_id, clock.now(), found.started_at - RECENT)


async def _pay_out(uow: UnitOfWork, run_id: UUID) -> None:
    """Refunds that were given up while a provider was out of reach are tried again."""
    for refund_id in await repository.refunds_waiting(uow.session):
        await uow.emit("payment/refund", {"refund_id": refund_id}, key=f"refund:{refund_id}:again:{run_id}")


async def _note(cashier: Cashier, run_id: UUID, order_id: UUID, finding: Finding) -> None:
    async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await repository.note_finding(
            uow.session,
            run_id=run_id,
            order_id=order_id,
            code=finding.code,
            repaired=finding.repaired,
            found_at=clock.now(),
        )


async def compare(cashier: Cashier, order_id: UUID) -> Finding | None:
    """Ask the provider about one order and repair what can be; None if both agreed all along."""
    async with cashier.database.service(ServiceDoor.JOB) as uow:
        before = await _picture(uow, await repository.order(uow.session, order_id))
    try:
        order = await sync(cashier, order_id)
    except (ProviderUnavailable, Unavailable):
        return Finding("unreachable", repaired=False)
    except ProviderRefused:
        return Finding("unknown_at_provider", repaired=False)
    async with cashier.database.service(ServiceDoor.JOB) as uow:
        after = await _picture(uow, order)
    if after != before:
        return Finding(_change(before[0], after[0]), repaired=True)
    return Finding(str(order.flag), repaired=False) if order.flag in LASTING else None


LASTING: Final = (
    OrderFlag.WRONG_AMOUNT,
    OrderFlag.WRONG_CURRENCY,
    OrderFlag.PARTIAL_REFUND,
    OrderFlag.REFUND_FAILED,
)
"""Flags that only an admin's decision ends."""


async def _picture(uow: UnitOfWork, order: Order) -> tuple[OrderStatus, OrderFlag | None, int, str | None]:
    payment = await repository.payment_of(uow.session, order.id)
    refunded, dispute = (payment.refunded_amount, payment.dispute) if payment else (0, None)
    return order.status, order.flag, refunded, dispute


def _change(before: OrderStatus, after: OrderStatus) -> str:
    if before is after:
        return "money_moved"
    if before in repository.PAID:
        return "refund_missed"
    return "payment_missed" if after in repository.PAID else "ended"
