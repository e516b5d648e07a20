"""The watchdog: does anything wait to be sent for too long?"""

from __future__ import annotations

from app.admin import alerts
from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.wiring import Platform


async def look(platform: Platform, event: Event) -> None:
    """Read the watchdog; alert the admins where it is time to."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await alerts.look(uow, platform.settings)


EVENTS = {"watchdog/look": look}
