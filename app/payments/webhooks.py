"""Webhooks: verified, kept, answered at once; a job asks the provider what is true now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.rls import ServiceDoor
from app.payments import repository
from app.payments.cashier import Cashier
from app.payments.gateway import Delivery, Provider
from app.payments.sync import Hint, sync

HANDLED: Mapping[Provider, frozenset[str]] = {
    Provider.STRIPE: frozenset(
        {
            "checkout.session.completed",
            "checkout.session.expired",
            "checkout.session.async_payment_succeeded",
            "checkout.session.async_payment_failed",
            "charge.refunded",
            "refund.updated",
            "refund.failed",
            "charge.dispute.created",
            "charge.dispute.closed",
        }
    ),
    Provider.PAYPAL: frozenset(
        {
            "CHECKOUT.ORDER.APPROVED",
            "PAYMENT.CAPTURE.COMPLETED",
            "PAYMENT.CAPTURE.PENDING",
            "PAYMENT.CAPTURE.DENIED",
            "PAYMENT.CAPTURE.REFUNDED",
            "PAYMENT.CAPTURE.REVERSED",
            "CUSTOMER.DISPUTE.CREATED",
            "CUSTOMER.DISPUTE.UPDATED",
            "CUSTOMER.DISPUTE.RESOLVED",
        }
    ),
}


async def receive(cashier: Cashier, provider: Provider, body: bytes, headers: Mapping[str, str]) -> bool:
    """Keep a delivery whose signature holds; True if it is new. The caller answers 2xx either way.

    Raises ForgedWebhook, after which nothing is stored, Unavailable without keys, ProviderUnavailable if the
    certificate that signed it can't be had.
    """
    delivery = await cashier.gateway(provider).verify(body, headers, datetime.now(UTC))
    async with cashier.database.service(ServiceDoor.WEBHOOK) as uow, uow.transaction():
        webhook_id = await repository.receive(
            uow.session,
            provider=provider,
            provider_event_id=delivery.event_id,
            type=delivery.type,
            subject=_subject(delivery),
            body=_storable(body),
            received_at=clock.now(),
        )
        if webhook_id is not None:
            await uow.emit("payment/webhook", {"webhook_id": webhook_id}, key=f"payment/webhook:{webhook_id}")
    return webhook_id is not None


async def process(cashier: Cashier, webhook_id: UUID) -> None:
    """Act on a kept webhook: what it says is only a reason to ask. Raises ProviderUnavailable, ProviderRefused."""
    async with cashier.database.service(ServiceDoor.JOB) as uow:
        webhook = await repository.webhook(uow.session, webhook_id)
        if webhook is None or webhook.processed_at is not None:
            return
        subject = webhook.subject
        order = await repository.order_of(
            uow.session,
            webhook.provider,
            order_id=UUID(subject["order_id"]) if subject.get("order_id") else None,
            session_id=subject.get("session_id"),
            payment_id=subject.get("payment_id"),
        )
    outcome = "ignored"
    if webhook.type in HANDLED[webhook.provider]:
        outcome = "not ours" if order is None else "done"
    if order is not None and outcome == "done":
        hint = Hint(_own(subject.get("session_id"), order.provider_session_id), subject.get("dispute_id"))
        await sync(cashier, order.id, hint)
    async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await repository.close_webhook(uow.session, webhook_id, outcome, clock.now())


def _storable(body: bytes) -> Any:
    """A body as the table can hold it: what PostgreSQL takes for no letter (NUL, half a pair) becomes U+FFFD."""
    text = json.dumps(json.loads(body), ensure_ascii=False)
    return json.loads(text.encode(errors="replace").replace(b"\\u0000", b"\\ufffd"))


def _subject(delivery: Delivery) -> dict[str, str]:
    named = {
        "order_id": str(delivery.order_id) if delivery.order_id else None,
        "session_id": delivery.session_id,
        "payment_id": delivery.payment_id,
        "dispute_id": delivery.dispute_id,
    }
    return {name: value for name, value in named.items() if value}


def _own(told: str | None, kept: str | None) -> str | None:
    """The session id to keep, where we have none yet."""
    return told if kept is None else None
