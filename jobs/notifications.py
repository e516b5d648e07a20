"""Notifications: the slice that knows composes them, `app.notifications` records and sends them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.accounts.contacts import contacts
from app.core import clock
from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications import service
from app.notifications.catalogue import CATALOGUE
from app.notifications.service import Contact, Message, SkipReason
from app.settings import Settings
from app.wiring import Platform

# Given a service unit of work, the settings and the event's payload (kind and ids): who is told, with which words.
# It runs in the transaction that records the messages, at most once to its end; nobody to tell is an empty list.
Notice = Callable[[UnitOfWork, Settings, Mapping[str, Any]], Awaitable[list[Message]]]


async def notify(platform: Platform, event: Event, notice: Notice) -> None:
    """Compose and record the event's messages, unless that was done before; send what is not sent yet.

    What comes by time and was put off is looked at again: it may hold no more.
    """
    kind = event.payload["kind"]
    async with platform.database.service(ServiceDoor.JOB) as uow:
        if not await service.recorded(uow, event.id):
            messages = await _composed(uow, platform.settings, event, notice)
            reached = await contacts(uow, [message.recipient_id for message in messages])
            known = [
                _for(kind, message, reached[message.recipient_id])
                for message in messages
                if message.recipient_id in reached
            ]
            await service.record(uow, platform.outlets, event.id, kind, known, reached)
            await uow.commit()
        elif CATALOGUE[kind].timed:
            messages = await _composed(uow, platform.settings, event, notice)
            await service.withdraw(uow, event.id, messages)
            await uow.commit()
    await service.deliver(platform.database, platform.outlets, event.id)


def _for(kind: str, message: Message, contact: Contact) -> Message:
    """The message, to be skipped for who has left: only what can't be turned off still concerns them, as their money."""
    if contact.closed and CATALOGUE[kind].optional:
        return replace(message, skip=message.skip or SkipReason.OUTDATED)
    return message


async def _composed(uow: UnitOfWork, settings: Settings, event: Event, notice: Notice) -> list[Message]:
    messages = await notice(uow, settings, event.payload)
    if is_late(event.payload, clock.now()):
        return [replace(message, skip=message.skip or SkipReason.LATE) for message in messages]
    return messages


def is_late(payload: Mapping[str, Any], now: datetime) -> bool:
    """True for a timed notification that no longer makes sense at `now`: nobody worked when it was due."""
    timed = CATALOGUE[payload["kind"]].timed
    return timed is not None and timed.is_late(datetime.fromisoformat(payload["anchor_at"]), now)
