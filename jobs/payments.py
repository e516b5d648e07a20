"""Money: webhooks acted on, holds ended, refunds paid out, orders compared with their providers."""

from __future__ import annotations

from collections.abc import Awaitable
from uuid import UUID

from app.core.outbox import Event, GiveUp, Retry
from app.core.rls import ServiceDoor
from app.payments import catalogue, reconciliation, refunds, sync, webhooks
from app.payments.gateway import ProviderRefused, ProviderUnavailable
from app.wiring import Platform

RETRIES = 3
FIRST_WAIT_SECONDS = 10.0


async def persevere(event: Event, attempt: Awaitable[object]) -> None:
    """Try again three times while a provider is out of reach, each time six times later; then people have to look."""
    try:
        await attempt
    except (ProviderUnavailable, ProviderRefused, Retry) as error:
        if event.attempts > RETRIES:
            raise GiveUp(str(error)) from error
        raise Retry(str(error), after_seconds=FIRST_WAIT_SECONDS * 6 ** (event.attempts - 1)) from error


async def webhook(platform: Platform, event: Event) -> None:
    """`{"webhook_id"}`: act on a delivery of the inbox."""
    await persevere(event, webhooks.process(platform.cashier, UUID(event.payload["webhook_id"])))


async def ask(platform: Platform, event: Event) -> None:
    """`{"order_id"}`: see what became of an order."""
    await persevere(event, sync.sync(platform.cashier, UUID(event.payload["order_id"])))


async def close(platform: Platform, event: Event) -> None:
    """`{"order_id", "why"}`: end a checkout and give its seat back, unless it was paid."""
    await sync.close(platform.cashier, UUID(event.payload["order_id"]), event.payload["why"])


async def refund(platform: Platform, event: Event) -> None:
    """`{"refund_id"}`: have a refund paid out."""
    await persevere(event, refunds.pay(platform.cashier, UUID(event.payload["refund_id"])))


async def reconcile(platform: Platform, event: Event) -> None:
    """`{"run_id", "after"?}`: compare recent orders with their providers, a batch at a time."""
    after = event.payload.get("after")
    behind = UUID(after) if after else reconciliation.FROM_THE_FIRST
    await reconciliation.run(platform.cashier, UUID(event.payload["run_id"]), behind)


async def reconcile_daily(platform: Platform, event: Event) -> None:
    """Have today's comparison made."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await reconciliation.request(uow)


async def publish(platform: Platform, event: Event) -> None:
    """`{"product_id"}`: keep a product at the providers, under its newest price."""
    await persevere(event, catalogue.publish(platform.cashier, UUID(event.payload["product_id"])))


EVENTS = {
    "payment/webhook": webhook,
    "payment/sync": ask,
    "payment/close": close,
    "payment/refund": refund,
    "payment/reconcile": reconcile,
    "payment/daily": reconcile_daily,
    "product/publish": publish,
}
