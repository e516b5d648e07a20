"""Mentors' Google Calendars: read when Google says so, when it is time to, and completely once a day."""

from __future__ import annotations

import logging
from uuid import UUID

from app.booking import service as booking
from app.calendars import service as calendars
from app.calendars.errors import GoogleUnavailable, Overtaken
from app.core.outbox import Event, Retry
from app.core.rls import ServiceDoor
from app.wiring import Platform

logger = logging.getLogger(__name__)

PATIENCE = 3  # attempts at reading a mirror; the next poll asks again anyway


async def mirror(platform: Platform, event: Event) -> None:
    """`{"mentor_id", "full"?}`: bring the mirror up to date, and see what the mentor did to our events."""
    try:
        own = await calendars.mirror(
            platform.database, platform.google, mentor_of(event), full=event.payload.get("full", False)
        )
    except (GoogleUnavailable, Overtaken) as error:
        if event.attempts < PATIENCE:
            raise Retry(str(error)) from error
        logger.warning("the calendar of mentor %s was not read: %s", mentor_of(event), error)
        return
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await booking.note_conflicts(uow, own)


async def poll(platform: Platform, event: Event) -> None:
    """Have the calendars read that nobody has read for a while."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await calendars.request_mirrors(uow, await calendars.due_mentors(uow, platform.settings))


async def nightly(platform: Platform, event: Event) -> None:
    """Have every calendar read completely, and grants encrypted with the newest key."""
    await calendars.reseal_tokens(platform.database, platform.google)
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        mentor_ids = await calendars.nightly_mentors(uow)
        await calendars.request_mirrors(uow, mentor_ids, full=True)
        await calendars.request_choices(uow, mentor_ids)


async def channels(platform: Platform, event: Event) -> None:
    """Have push channels opened where there is none, or none that lasts."""
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await calendars.request_channels(uow, await calendars.channels_due(uow, platform.settings))


async def watch(platform: Platform, event: Event) -> None:
    """`{"mentor_id"}`: open a push channel, or a new one."""
    try:
        await calendars.renew_channel(platform.database, platform.google, mentor_of(event))
    except GoogleUnavailable as error:
        raise Retry(str(error)) from error


async def left(platform: Platform, event: Event) -> None:
    """`{"mentor_id"}`: take our events out of the calendar that was used before."""
    try:
        await calendars.leave_calendar(platform.database, platform.google, mentor_of(event))
    except GoogleUnavailable as error:
        raise Retry(str(error)) from error


async def choices(platform: Platform, event: Event) -> None:
    """`{"mentor_id"}`: see which calendars there are to choose from."""
    try:
        await calendars.refresh_calendars(platform.database, platform.google, mentor_of(event))
    except GoogleUnavailable as error:
        raise Retry(str(error)) from error


def mentor_of(event: Event) -> UUID:
    """The mentor that an event is about."""
    return UUID(event.payload["mentor_id"])


EVENTS = {
    "calendar/mirror": mirror,
    "calendar/poll": poll,
    "calendar/nightly": nightly,
    "calendar/channels": channels,
    "calendar/watch": watch,
    "calendar/left": left,
    "calendar/choices": choices,
}
