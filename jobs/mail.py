"""What becomes of mails after they were sent."""

from __future__ import annotations

from uuid import UUID

from app.accounts import mail_pauses
from app.core.outbox import Event
from app.wiring import Platform


async def webhook(platform: Platform, event: Event) -> None:
    """`{"webhook_id"}`: act on a delivery of the inbox."""
    await mail_pauses.process(platform.database, UUID(event.payload["webhook_id"]))


EVENTS = {"mail/webhook": webhook}
