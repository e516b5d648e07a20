"""Webhooks: verified, kept, answered at once; a job asks the provider what is true now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from app.core import inbox
from app.core.models import Vendor
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
        return await inbox.receive(
            uow,
            Vendor(provider),
            delivery.event_id,
            type_=delivery.type,
            subject=_subject(delivery),
            body=body,
            job="payment/webhook",
        )


async def process(cashier: Cashier, webhook_id: UUID) -> None:
    """Act on a kept webhook: what it says is only a reason to ask. Raises ProviderUnavailable, ProviderRefused."""
    async with cashier.database.service(ServiceDoor.JOB) as uow:
        webhook = await inbox.waiting(uow, webhook_id)
        if webhook is None:
            return
        provider, subject = Provider(webhook.provider), webhook.subject
        order = await repository.order_of(
            uow.session,
            provider,
            order_id=UUID(subject["order_id"]) if subject.get("order_id") else None,
            session_id=subject.get("session_id"),
            payment_id=subject.get("payment_id"),
        )
    outcome = "ignored"
    if webhook.type in HANDLED[provider]:
        outcome = "not ours" if order is None else "done"
    if order is not None and outcome == "done":
        hint = Hint(_own(subject.get("session_id"), order.provider_session_id), subject.get("dispute_id"))
        await sync(cashier, order.id, hint)
    async with cashier.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await inbox.close(uow, webhook_id, outcome)


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
