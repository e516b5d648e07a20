"""Jobs of bookings: calendars brought in line, unmarked sessions completed, links to recordings removed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.booking import recordings, reverse, service
from app.core.outbox import MAX_ATTEMPTS, Event
from app.core.rls import ServiceDoor
from app.wiring import Platform


async def write_calendar(platform: Platform, event: Event) -> None:
    """`{"session_id", "check"?}`: the mentor's calendar holds the session's newest state."""
    await service.sync_calendar(
        platform.database,
        platform.google,
        UUID(event.payload["session_id"]),
        public_url=platform.settings.public_url,
        check=bool(event.payload.get("check")),
        last_attempt=event.attempts >= MAX_ATTEMPTS,
    )


async def replay_calendar(platform: Platform, event: Event) -> None:
    """`{"mentor_id"}`: everything that waited for the mentor's calendar is written."""
    async with platform.database.service(ServiceDoor.JOB) as uow:
        await service.replay_calendar(uow, UUID(event.payload["mentor_id"]))
        await uow.commit()


async def complete_overdue(platform: Platform, event: Event) -> None:
    """Sessions that nobody marked within 48 hours count as held."""
    await service.complete_overdue(platform.database)


async def seat_again(platform: Platform, event: Event) -> None:
    """`{"session_id"}`: whose session went back to its pack has a seat to use it with, if one is free."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await reverse.seat_again(uow, UUID(event.payload["session_id"]))


async def expire_recording(platform: Platform, event: Event) -> None:
    """`{"session_id", "expires_at"}`: the link that was kept until then is removed, unless it is gone or a newer one."""
    session_id, until = UUID(event.payload["session_id"]), datetime.fromisoformat(event.payload["expires_at"])
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await recordings.expire(uow, session_id, until)
