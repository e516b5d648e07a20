"""Notifications: the slice that knows composes them, `app.notifications` records and sends them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications import service
from app.notifications.service import Message
from app.settings import Settings
from app.wiring import Platform

# Given a service unit of work, the settings and the event's payload (kind and ids): who is told, with which words.
# It runs in the transaction that records the messages, at most once to its end; nobody to tell is an empty list.
Notice = Callable[[UnitOfWork, Settings, Mapping[str, Any]], Awaitable[list[Message]]]


async def notify(platform: Platform, event: Event, notice: Notice) -> None:
    """Compose and record the event's messages, unless that was done before; send what is not sent yet."""
    async with platform.database.service(ServiceDoor.JOB) as uow:
        if not await service.recorded(uow, event.id):
            messages = await notice(uow, platform.settings, event.payload)
            await service.record(uow, platform.mailer, event.id, event.payload["kind"], messages)
            await uow.commit()
    await service.deliver(platform.database, platform.mailer, event.id)
