"""Notifications: recorded once for an event, a channel and a recipient, rendered once, sent by the vendor once.

`record` belongs to the transaction that decides who is told what; `deliver` sends what was recorded, as often as it
takes. A crash between the two, or between sending and marking, is repaired by calling `deliver` again: the same key
and the same body make Resend answer again instead of sending again.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications import repository
from app.notifications.catalogue import CATALOGUE
from app.notifications.mailer import Mailer
from app.notifications.models import Channel, DeliveryState, SkipReason
from app.notifications.sending import deliver

__all__ = ["Attachment", "Message", "SkipReason", "deliver", "forget_rendered", "record", "recorded", "send"]

KEEP_RENDERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; `content_type` with its parameters (`text/calendar; method=REQUEST`)."""

    filename: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Message:
    """Who is told, at which address, with which words: `context` is what the kind's templates take.

    `skip`: why they aren't told after all; that is recorded, too.
    """

    recipient_id: UUID
    address: str
    context: Mapping[str, Any] = field(repr=False)
    attachments: Sequence[Attachment] = ()
    skip: SkipReason | None = None


async def send(
    database: Database, mailer: Mailer, event_id: UUID, kind: str, messages: Sequence[Message]
) -> None:
    """Record `messages` of a catalogue kind for the event, unless it was done before, and send what is not sent yet.

    Raises Retry while a mail is not confirmed; calling again with the same event sends nothing twice.
    """
    async with database.service(ServiceDoor.JOB) as uow:
        if not await recorded(uow, event_id):
            await record(uow, mailer, event_id, kind, messages)
            await uow.commit()
    await deliver(database, mailer, event_id)


async def recorded(uow: UnitOfWork, event_id: UUID) -> bool:
    """True if the event's messages were recorded; else the caller alone may do so until the transaction ends."""
    await repository.lock_event(uow, event_id)
    return await repository.any_for(uow, event_id)


async def record(
    uow: UnitOfWork, mailer: Mailer, event_id: UUID, kind: str, messages: Sequence[Message]
) -> None:
    """Render and write down one delivery for each recipient, in the caller's transaction."""
    rows = [
        {
            "id": new_id(),
            "event_id": event_id,
            "kind": CATALOGUE[kind].name,
            "channel": Channel.EMAIL,
            "recipient_id": message.recipient_id,
            "state": DeliveryState.PENDING if mailer.resend else DeliveryState.SKIPPED,
            "rendered": _body(mailer, kind, message) if mailer.resend else None,
            "created_at": clock.now(),
        }
        for message in messages
    ]
    if rows:
        await repository.add(uow, rows)


def _body(mailer: Mailer, kind: str, message: Message) -> dict[str, Any]:
    body = mailer.compose(kind, message.address, message.context)
    if message.attachments:
        body["attachments"] = [
            {
                "filename": attachment.filename,
                "content": base64.b64encode(attachment.content).decode(),
                "content_type": attachment.content_type,
            }
            for attachment in message.attachments
        ]
    return body


async def forget_rendered(uow: UnitOfWork) -> int:
    """Wipe the text of mails older than 30 days (business time), whatever became of them; returns how many."""
    return await repository.forget_rendered(uow, clock.now() - KEEP_RENDERED)
