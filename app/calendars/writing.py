"""Our events in the mentor's calendar: written by state, so that doing it twice changes nothing."""

from __future__ import annotations

from uuid import UUID

from app.calendars import grants
from app.calendars.errors import EventChanged, EventExists, EventGone, Overtaken
from app.calendars.events import Event, EventToWrite, Outcome, Written
from app.calendars.google import Google
from app.calendars.grants import Grant
from app.core.db import Database

ATTEMPTS = 4


async def write_event(database: Database, google: Google, mentor_id: UUID, event: EventToWrite) -> Written:
    """Make the mentor's calendar hold `event`, under the id that its session and generation give it.

    A version that was written before is left as the mentor made it since (`moved`); one that the mentor
    deleted can't be written again under its id (`deleted`, `needs_new_generation`). No transaction may be
    open. Raises NotConnected, GrantRevoked (recorded), CalendarGone, GoogleUnavailable, GoogleRefused,
    Overtaken.
    """
    grant = await grants.required(database, google, mentor_id)
    async with grants.acting_for(database, google, grant):
        try:
            return _written(await google.insert_event(grant.token, grant.calendar_id, event))
        except EventExists:
            return await _bring_up_to_date(google, grant, event)


async def remove_event(database: Database, google: Google, mentor_id: UUID, event_id: str) -> None:
    """Make the mentor's calendar not hold the event; one that isn't there is fine.

    No transaction may be open. Raises NotConnected, GrantRevoked (recorded), GoogleUnavailable,
    GoogleRefused.
    """
    grant = await grants.required(database, google, mentor_id)
    async with grants.acting_for(database, google, grant):
        await delete_quietly(google, grant, grant.calendar_id, event_id)


async def delete_quietly(google: Google, grant: Grant, calendar_id: str, event_id: str) -> None:
    """Delete an event, unless somebody has."""
    try:
        await google.delete_event(grant.token, calendar_id, event_id)
    except EventGone:
        return


async def _bring_up_to_date(google: Google, grant: Grant, event: EventToWrite) -> Written:
    for _ in range(ATTEMPTS):
        try:
            held = await google.get_event(grant.token, grant.calendar_id, event.id)
            if held.deleted:
                return _written(held, Outcome.DELETED)
            if held.version is not None and held.version >= event.version:
                moved = held.version == event.version and (held.start, held.end) != (event.start, event.end)
                return _written(held, Outcome.MOVED if moved else Outcome.WRITTEN)
            return _written(await google.patch_event(grant.token, grant.calendar_id, event, held))
        except EventChanged:
            continue
        except EventGone:
            return Written(Outcome.DELETED, event.id, "", None, None)
    raise Overtaken(f"event {event.id} changed {ATTEMPTS} times while it was written")


def _written(held: Event, outcome: Outcome = Outcome.WRITTEN) -> Written:
    return Written(outcome, held.id, held.etag, held.version, held.start)
