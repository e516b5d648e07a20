"""Connecting, reconnecting and disconnecting a mentor's Google account."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from app.calendars import channels, choice, grants, repository
from app.calendars.errors import GoogleError, GoogleUnavailable
from app.calendars.google import Calendar, Google, allows_all
from app.calendars.models import CalendarConnection, CalendarState
from app.core import clock
from app.core.db import Database
from app.core.errors import Refused
from app.core.rls import ServiceDoor

logger = logging.getLogger(__name__)

ONE_HOUR_ONLY = (
    "Google let us in for an hour only, which is too short to keep your calendar. Nothing was changed. Remove our"
    " access at myaccount.google.com/permissions, then connect again."
)
NO_SCOPE = (
    "Google didn't let us see your calendars and write events into them: both boxes on its page have to be ticked."
    " Nothing was changed; please connect again."
)


@dataclass(frozen=True, slots=True)
class _Held:
    """What of a connection has to be given back to Google."""

    token: str | None
    channel: tuple[str, str] | None


async def connect(
    database: Database,
    google: Google,
    mentor_id: UUID,
    *,
    google_email: str,
    refresh_token: str | None,
    scopes: Collection[str],
) -> None:
    """Keep what a mentor allowed on Google's page, for the first time or again.

    The calendar chosen before stays chosen if the account still has it, else it is the primary one. The
    mirror and what waited to be written follow in jobs (`calendar/mirror`, `calendar/reconnected`). No
    transaction may be open. Raises Refused (`google_scope_missing`, `google_refresh_token_missing`,
    `google_calendar_missing`, `google_revoked`) or Unavailable, and then nothing has changed.
    """
    if not allows_all(scopes):
        raise Refused("google_scope_missing", NO_SCOPE, status=422)
    if not refresh_token:
        raise Refused("google_refresh_token_missing", ONE_HOUR_ONLY, status=422)
    with choice.explained():
        calendars = choice.some(await google.calendars(refresh_token))
    async with database.service(ServiceDoor.CALENDAR) as uow:
        row = await repository.connection(uow, mentor_id, lock=True)
        before = None
        if row is None:
            row = CalendarConnection(mentor_id=mentor_id)
            uow.session.add(row)
        elif row.google_email != google_email:
            before = _held(google, row)
        _accept(google, row, google_email, refresh_token, calendars)
        await uow.session.flush()
        if row.mirrored_at is None:
            await repository.drop_other_windows(uow, mentor_id, ())
        await choice.announce(uow, mentor_id)
        await uow.commit()
    if before is not None:
        await _let_go(google, before)


def _accept(
    google: Google, row: CalendarConnection, email: str, token: str, calendars: list[Calendar]
) -> None:
    ids = [calendar.id for calendar in calendars]
    if row.google_email != email:
        row.left_calendar_id = None  # in the other account, which is out of reach from now on
    if row.google_email != email or row.google_calendar_id not in ids:
        row.google_calendar_id = ids[0]
        row.mirrored_at = None
    row.google_email = email
    row.google_refresh_token = google.cipher.encrypt(token)
    row.state = CalendarState.CONNECTED
    row.connected_at = clock.now()
    row.calendars = choice.stored(calendars)
    choice.start_over(row)


async def disconnect(database: Database, google: Google, mentor_id: UUID) -> None:
    """Forget the mentor's grant and all that was read with it, then give it back to Google if it listens.

    Events already written stay in the mentor's calendar. No transaction may be open.
    """
    async with database.service(ServiceDoor.CALENDAR) as uow:
        row = await repository.connection(uow, mentor_id, lock=True)
        if row is None:
            return
        held = _held(google, row)
        await uow.session.delete(row)
        await uow.commit()
    await _let_go(google, held)


async def reseal_tokens(database: Database, google: Google) -> int:
    """Encrypt every refresh token with the newest key, so that older keys may go; gives how many weren't."""
    changed = 0
    async with database.service(ServiceDoor.JOB) as uow:
        for mentor_id, sealed in await repository.sealed_tokens(uow):
            if google.cipher.outdated(sealed):
                await repository.put_token(uow, mentor_id, google.cipher.rotate(sealed))
                changed += 1
        await uow.commit()
    return changed


def _held(google: Google, row: CalendarConnection) -> _Held:
    channel = channels.held_channel(row.channel_id, row.channel_resource_id)
    try:
        return _Held(grants.opened(google, row).token, channel)
    except GoogleUnavailable:
        return _Held(None, None)


async def _let_go(google: Google, held: _Held) -> None:
    if held.token is None:
        return
    if held.channel is not None:
        await channels.end_channel(google, held.token, *held.channel)
    try:
        await google.revoke(held.token)
    except GoogleError as error:
        logger.info("a grant was not given back to Google: %s", error)
