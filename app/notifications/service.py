"""Notifications: recorded once for an event, a channel and a recipient, rendered once, sent by the vendor once.

`record` belongs to the transaction that decides who is told what; `deliver` sends what was recorded, as often as it
takes. A crash between the two, or between sending and marking, is repaired by calling `deliver` again: the same key
and the same body make the vendor answer again instead of sending again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications import repository
from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import Kind
from app.notifications.messages import UNKNOWN, Attachment, Contact, Message, outdated
from app.notifications.models import Channel, DeliveryState, SkipReason
from app.notifications.outlets import Outlets
from app.notifications.rules import skip_reason
from app.notifications.sending import deliver

__all__ = [
    "Attachment",
    "Contact",
    "Message",
    "SkipReason",
    "deliver",
    "forget_rendered",
    "outdated",
    "record",
    "recorded",
    "send",
    "unlinked",
    "withdraw",
]

KEEP_RENDERED = timedelta(days=30)
Contacts = Mapping[UUID, Contact]


async def send(
    database: Database,
    outlets: Outlets,
    event_id: UUID,
    kind: str,
    messages: Sequence[Message],
    contacts: Contacts | None = None,
) -> None:
    """Record `messages` of a catalogue kind for the event, unless it was done before, and send what is not sent yet.

    Raises Retry while something is not confirmed; calling again with the same event sends nothing twice.
    """
    async with database.service(ServiceDoor.JOB) as uow:
        if not await recorded(uow, event_id):
            await record(uow, outlets, event_id, kind, messages, contacts or {})
            await uow.commit()
    await deliver(database, outlets, event_id)


async def recorded(uow: UnitOfWork, event_id: UUID) -> bool:
    """True if the event's messages were recorded; else the caller alone may do so until the transaction ends."""
    await repository.lock_event(uow, event_id)
    return await repository.any_for(uow, event_id)


async def record(
    uow: UnitOfWork,
    outlets: Outlets,
    event_id: UUID,
    kind: str,
    messages: Sequence[Message],
    contacts: Contacts,
) -> None:
    """Render and write down one delivery for each recipient and channel of the kind, in the caller's transaction.

    On Discord for those only whose account is in `contacts`. What isn't to be sent is written down with its reason.
    """
    entry = CATALOGUE[kind]
    off = await repository.turned_off(uow, kind, [message.recipient_id for message in messages])
    rows = [
        {"id": new_id(), "event_id": event_id, "kind": kind, "created_at": clock.now(), **row}
        for message in messages
        for row in _rows(outlets, entry, message, contacts.get(message.recipient_id, UNKNOWN), off)
    ]
    if rows:
        await repository.add(uow, rows)


def _rows(
    outlets: Outlets, kind: Kind, message: Message, contact: Contact, off: set[tuple[UUID, Channel]]
) -> Iterator[dict[str, Any]]:
    """What one recipient's deliveries have of their own."""
    reasons = {
        channel: skip_reason(
            kind,
            channel,
            wished=message.skip,
            is_on=outlets.of(channel).is_on,
            mail_paused=contact.mail_paused,
            turned_off=(message.recipient_id, channel) in off,
        )
        for channel in kind.channels
        if channel is Channel.EMAIL or contact.discord_id
    }
    for channel, reason in reasons.items():
        # Should Discord turn out to be closed to us, the mail that was turned off is sent: it is rendered now, too.
        stands_by = reason is SkipReason.TURNED_OFF and reasons.get(Channel.DISCORD, reason) is None
        is_rendered = reason is None or (stands_by and channel is Channel.EMAIL)
        yield {
            "channel": channel,
            "recipient_id": message.recipient_id,
            "state": DeliveryState.SKIPPED if reason else DeliveryState.PENDING,
            "reason": reason,
            "rendered": outlets.of(channel).write(kind.name, message, contact) if is_rendered else None,
        }


async def withdraw(uow: UnitOfWork, event_id: UUID, messages: Sequence[Message]) -> None:
    """Take back what was recorded for the event and not sent, where a message says now that it is to be skipped.

    What a vendor may have already is uncertain then; what somebody is sending at this moment is left to them.
    """
    for message in messages:
        if message.skip is not None:
            await repository.withdraw(uow, event_id, message.recipient_id, message.skip, datetime.now(UTC))


async def unlinked(uow: UnitOfWork, user_id: UUID, discord_id: str) -> None:
    """A Discord account is somebody else's, or nobody's: what waits to be written to it for the user is taken back."""
    await repository.withdraw_direct(uow, user_id, discord_id, datetime.now(UTC))


async def forget_rendered(uow: UnitOfWork) -> int:
    """Wipe the text of messages older than 30 days (business time), whatever became of them; returns how many."""
    return await repository.forget_rendered(uow, clock.now() - KEEP_RENDERED)
