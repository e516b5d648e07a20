"""Seats: those whose time is over end, free ones go to who has waited longest."""

from __future__ import annotations

from uuid import UUID

from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.packs import seats
from app.wiring import Platform


async def expire(platform: Platform, event: Event) -> None:
    """`{"seat_id"}`: an offer or a grace ends, unless it was prolonged or used meanwhile."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await seats.expire(uow, UUID(event.payload["seat_id"]))


async def offer(platform: Platform, event: Event) -> None:
    """`{"mentor_id"}`: free seats are offered to the first of the waitlist."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await seats.offer(uow, UUID(event.payload["mentor_id"]))


EVENTS = {"seats/expire": expire, "seats/offer": offer}
