"""What Resend tells of mails it took: verified, kept, answered at once. What becomes of it is a job's business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import resend
import sqlalchemy as sa

from app.core import inbox
from app.core.db import Database
from app.core.errors import Unavailable
from app.core.inbox import ForgedWebhook
from app.core.models import Vendor
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications.models import Delivery, DeliveryState
from app.settings import Settings

JOB = "mail/webhook"
_SIGNED = ("id", "timestamp", "signature")


async def receive(database: Database, settings: Settings, body: bytes, headers: Mapping[str, str]) -> bool:
    """Keep a delivery whose signature holds; True if it is new. `headers` by lower-case name.

    Raises ForgedWebhook, after which nothing is stored, and Unavailable without a secret to check it with.
    """
    event = verified(settings, body, headers)
    data = event.get("data")
    subject = {"email_id": data.get("email_id")} if isinstance(data, dict) else {}
    async with database.service(ServiceDoor.WEBHOOK) as uow, uow.transaction():
        return await inbox.receive(
            uow,
            Vendor.RESEND,
            headers["svix-id"],
            type_=event["type"],
            subject=subject,
            body=body,
            job=JOB,
        )


def verified(settings: Settings, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """The event that a raw body carries, its signature checked and at most 5 min old. Raises as `receive`."""
    if not settings.resend_webhook_secret:
        raise Unavailable("Webhooks of mails are switched off here.")
    signed = {name: headers.get(f"svix-{name}", "") for name in _SIGNED}
    try:
        options = {
            "payload": body.decode(),
            "headers": signed,
            "webhook_secret": settings.resend_webhook_secret,
        }
        event: Any = resend.Webhooks.verify(cast(resend.VerifyWebhookOptions, options))
    except ValueError as error:  # bodies that are no UTF-8 and no JSON, too
        raise ForgedWebhook(str(error)) from error
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise ForgedWebhook("the body is no event")
    return event


async def came_back(uow: UnitOfWork, provider_id: str, why: str) -> None:
    """The mail that Resend knows by this id was taken and then refused by its recipient's post office, for good."""
    query = sa.update(Delivery).where(Delivery.provider_id == provider_id)
    await uow.session.execute(query.values(state=DeliveryState.FAILED, last_error=why))
