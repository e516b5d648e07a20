"""Testimonials: who is asked for one."""

from __future__ import annotations

from uuid import UUID

from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.testimonials import asking
from app.wiring import Platform


async def held(platform: Platform, event: Event) -> None:
    """`{"pack_id"}`: a session of the pack was held; its student may be asked for a few words."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await asking.ask(uow, UUID(event.payload["pack_id"]))


EVENTS = {"session/held": held}
