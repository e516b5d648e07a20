"""The mirror: what the mentor's calendar says about when they are busy, kept beside us for pages to read.

Google is read outside of transactions. What was read is kept only if the mirror hasn't changed meanwhile;
else it is read again, so that an older answer never replaces a newer one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.calendars import grants, repository
from app.calendars.errors import (
    CalendarGone,
    GoogleRefused,
    GoogleUnavailable,
    GrantRevoked,
    Overtaken,
    SyncTokenExpired,
)
from app.calendars.events import Listing, OwnEvent, own_event
from app.calendars.google import Google
from app.calendars.grants import Grant
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor

ATTEMPTS = 4
PAST = timedelta(days=1)
BEYOND_HORIZON = timedelta(days=7)


async def mirror(database: Database, google: Google, mentor_id: UUID, full: bool = False) -> list[OwnEvent]:
    """Bring the mentor's busy windows up to date; gives what became of our own events, as far as Google told.

    Only changes are asked for, unless `full`, or the horizon or the calendar's zone demand everything (to the
    horizon and 7 days). A mentor without a usable connection has no mirror; a revoked grant or a calendar
    that is gone is recorded. Raises GoogleUnavailable or GoogleRefused (recorded too), Overtaken if others
    kept changing the mirror.
    """
    for _ in range(ATTEMPTS):
        try:
            own = await _once(database, google, mentor_id, full)
        except GrantRevoked:
            return []
        except CalendarGone:
            await _note(database, mentor_id, "calendar_gone")
            return []
        except (GoogleUnavailable, GoogleRefused):
            await _note(database, mentor_id, "unavailable")
            raise
        if own is not None:
            return own
    raise Overtaken(f"the mirror of mentor {mentor_id} changed {ATTEMPTS} times while Google was read")


async def _once(database: Database, google: Google, mentor_id: UUID, full: bool) -> list[OwnEvent] | None:
    """Read and keep; None if the mirror changed in between."""
    now = clock.now()
    async with database.service(ServiceDoor.CALENDAR) as uow:
        grant = await grants.find(uow, google, mentor_id)
        horizon = now + await _horizon(uow, mentor_id)
    if grant is None:
        return []
    until = horizon + BEYOND_HORIZON
    async with grants.acting_for(database, google, grant):
        changes = None if full else await _changes(google, grant, horizon)
        listing = changes or await google.list_events(grant.token, grant.calendar_id, now - PAST, until)
    kept = await _keep(database, grant, listing, now, None if changes else until)
    return [own_event(event) for event in listing.events if event.ours] if kept else None


async def _horizon(uow: UnitOfWork, mentor_id: UUID) -> timedelta:
    query = sa.select(Mentor.horizon_days).where(Mentor.id == mentor_id)
    return timedelta(days=(await uow.session.execute(query)).scalar_one_or_none() or 0)


async def _changes(google: Google, grant: Grant, horizon: datetime) -> Listing | None:
    """What changed since the last time; None if that won't do."""
    if grant.sync_token is None or grant.synced_until is None or grant.synced_until < horizon:
        return None
    try:
        listing = await google.changed_events(grant.token, grant.calendar_id, grant.sync_token)
    except SyncTokenExpired:
        return None
    # In another zone every all-day event lies elsewhere, though none of them has changed.
    return listing if listing.time_zone == grant.time_zone else None


async def _keep(
    database: Database, grant: Grant, listing: Listing, now: datetime, until: datetime | None
) -> bool:
    """Put what was read into the mirror; with `until`, everything was read that far, and replaces all of it."""
    changes: dict[str, Any] = {
        "sync_token": listing.sync_token,
        "calendar_time_zone": listing.time_zone,
        "mirrored_at": now,
        "last_error": None,
    }
    if until is not None:
        changes["synced_until"] = until
    # Where nothing but our own events changed, no other answer to the same question is overtaken by this one.
    if until is not None or any(not event.ours for event in listing.events):
        changes["mirror_version"] = grant.version + 1
    # Between two pages an event may have changed: what was told last holds.
    spans = {event.id: event.span for event in listing.events}
    busy = {event_id: span for event_id, span in spans.items() if span is not None}
    async with database.service(ServiceDoor.CALENDAR) as uow:
        if not await repository.claim_version(
            uow, grant.mentor_id, grant.connected_at, grant.version, changes
        ):
            return False
        if until is not None:
            await repository.drop_other_windows(uow, grant.mentor_id, busy)
        else:
            await repository.drop_windows(uow, grant.mentor_id, spans.keys() - busy.keys())
        await repository.put_windows(uow, grant.mentor_id, busy)
        await uow.commit()
    return True


async def _note(database: Database, mentor_id: UUID, code: str) -> None:
    async with database.service(ServiceDoor.CALENDAR) as uow:
        await repository.note_error(uow, mentor_id, code)
        await uow.commit()
