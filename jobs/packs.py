"""Packs whose time is over expire; seats whose time is over end, free ones go to who has waited longest."""

from __future__ import annotations

from uuid import UUID

from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.packs import seats, service
from app.wiring import Platform


async def expire(platform: Platform, event: Event) -> None:
    """`{"seat_id"}`: an offer or a grace ends, unless it was prolonged or used meanwhile."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await seats.expire(uow, UUID(event.payload["seat_id"]))


async def offer(platform: Platform, event: Event) -> None:
    """`{"mentor_id"}`: free seats are offered to the first of the waitlist."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await seats.offer(uow, UUID(event.payload["mentor_id"]))


async def expire_pack(platform: Platform, event: Event) -> None:
    """`{"pack_id"}`: what is left of a pack expires, unless something keeps it, or it did already."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await service.expire(uow, UUID(event.payload["pack_id"]))


EVENTS = {"packs/expire": expire_pack, "seats/expire": expire, "seats/offer": offer}
