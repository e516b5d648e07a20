"""Which of the account's calendars counts as busy and takes the bookings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from app.calendars import channels, grants, repository
from app.calendars.errors import CalendarGone, GoogleError, GrantRevoked, NotConnected
from app.calendars.google import Calendar, Google
from app.calendars.grants import Grant
from app.calendars.models import CalendarConnection
from app.calendars.writing import delete_quietly
from app.core import clock
from app.core.db import Database
from app.core.errors import Invalid, NotFound, Refused, Unavailable
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork

NO_ANSWER = "Google didn't answer in time. Nothing was changed; please try again in a minute."
WITHDRAWN = "Google doesn't let us in any more. Please connect your calendar again."
NO_CALENDAR = "That Google account has no calendar that we may write to. Nothing was changed."
AHEAD = timedelta(days=400)


async def choose_calendar(database: Database, google: Google, mentor_id: UUID, calendar_id: str) -> None:
    """Let another calendar of the account count as busy and take the bookings; the mirror starts anew.

    Our events move there in jobs: `calendar/left` clears the calendar before, `calendar/reconnected` writes
    them again. No transaction may be open. Raises Invalid (`google_calendar_id`), NotFound without a
    connection, Refused (`google_revoked`, `google_calendar_missing`) or Unavailable.
    """
    with explained():
        await leave_calendar(database, google, mentor_id)
        grant = await grants.required(database, google, mentor_id)
        async with grants.acting_for(database, google, grant):
            calendars = some(await google.calendars(grant.token))
    if calendar_id not in {calendar.id for calendar in calendars}:
        raise Invalid({"google_calendar_id": "Choose one of the calendars in the list."})
    channel = await _switch(database, grant, calendar_id, calendars)
    if channel is not None:
        await channels.end_channel(google, grant.token, *channel)


async def _switch(
    database: Database, grant: Grant, calendar_id: str, calendars: list[Calendar]
) -> tuple[str, str] | None:
    """Change over; gives the push channel of the calendar before."""
    async with database.service(ServiceDoor.CALENDAR) as uow:
        row = await repository.connection(uow, grant.mentor_id, lock=True)
        if row is None or row.connected_at != grant.connected_at:
            raise NotFound("This Google Calendar is no longer connected.")
        row.calendars = stored(calendars)
        channel = None
        if row.google_calendar_id != calendar_id:
            channel = channels.held_channel(row.channel_id, row.channel_resource_id)
            row.left_calendar_id, row.google_calendar_id = row.google_calendar_id, calendar_id
            row.mirrored_at = None
            start_over(row)
            await repository.drop_other_windows(uow, grant.mentor_id, ())
            await uow.emit("calendar/left", {"mentor_id": str(grant.mentor_id)})
            await announce(uow, grant.mentor_id)
        await uow.commit()
    return channel


async def leave_calendar(database: Database, google: Google, mentor_id: UUID) -> None:
    """Delete our events that lie ahead from the calendar used before, if there is one; twice does no harm.

    No transaction may be open. Raises GoogleUnavailable or GoogleRefused; a grant that was revoked is
    recorded.
    """
    try:
        grant = await grants.required(database, google, mentor_id)
        if grant.left_calendar_id is None:
            return
        async with grants.acting_for(database, google, grant):
            await _clear(google, grant, grant.left_calendar_id)
    except (NotConnected, GrantRevoked):
        return
    async with database.service(ServiceDoor.CALENDAR) as uow:
        row = await repository.connection(uow, mentor_id, lock=True)
        if row is not None and row.left_calendar_id == grant.left_calendar_id:
            row.left_calendar_id = None
        await uow.commit()


async def _clear(google: Google, grant: Grant, calendar_id: str) -> None:
    now = clock.now()
    try:
        listing = await google.list_events(grant.token, calendar_id, now, now + AHEAD)
    except CalendarGone:
        return
    for event in listing.events:
        if event.ours and not event.deleted:
            await delete_quietly(google, grant, calendar_id, event.id)


async def refresh_calendars(database: Database, google: Google, mentor_id: UUID) -> None:
    """See which calendars there are to choose from now. Raises GoogleUnavailable or GoogleRefused."""
    try:
        grant = await grants.required(database, google, mentor_id)
        async with grants.acting_for(database, google, grant):
            calendars = await google.calendars(grant.token)
    except (NotConnected, GrantRevoked):
        return
    async with database.service(ServiceDoor.CALENDAR) as uow:
        row = await repository.connection(uow, mentor_id, lock=True)
        if row is not None and row.connected_at == grant.connected_at:
            row.calendars = stored(calendars)
        await uow.commit()


def some(calendars: list[Calendar]) -> list[Calendar]:
    """The calendars. Raises Refused (`google_calendar_missing`) if there are none."""
    if not calendars:
        raise Refused("google_calendar_missing", NO_CALENDAR, status=422)
    return calendars


def stored(calendars: list[Calendar]) -> list[list[str]]:
    """The calendars as a connection keeps them."""
    return [[calendar.id, calendar.name] for calendar in calendars]


def start_over(row: CalendarConnection) -> None:
    """Forget how far the calendar was read, and its push channel; answers to earlier questions come too late."""
    row.sync_token = row.synced_until = row.calendar_time_zone = row.last_error = None
    row.mirror_version = (row.mirror_version or 0) + 1
    row.channel_id = row.channel_resource_id = row.channel_expires_at = row.channel_token_hash = None


async def announce(uow: UnitOfWork, mentor_id: UUID) -> None:
    """Have the calendar read and watched, and sessions written that aren't in it yet."""
    for type_ in ("calendar/mirror", "calendar/watch", "calendar/reconnected"):
        await uow.emit(type_, {"mentor_id": str(mentor_id)})


@contextmanager
def explained() -> Iterator[None]:
    """Around calls to Google that somebody waits for: failures become Refused, Unavailable or NotFound."""
    try:
        yield
    except NotConnected:
        raise NotFound("No Google Calendar is connected.") from None
    except GrantRevoked:
        raise Refused("google_revoked", WITHDRAWN) from None
    except GoogleError as error:
        raise Unavailable(NO_ANSWER) from error
