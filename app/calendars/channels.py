"""Push channels: Google tells us that a calendar changed, so that we need not ask every few minutes.

Google posts to https addresses only; without one the mirror is polled. Channels end by Google's clock, so
that machine time decides about their renewal.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.calendars import grants, repository
from app.calendars.errors import CalendarGone, GoogleError, GoogleRefused, GrantRevoked, NotConnected
from app.calendars.google import Channel, Google
from app.calendars.grants import Grant
from app.core.db import Database
from app.core.errors import NotFound
from app.core.ids import hash_secret, new_id, new_secret
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.settings import Settings

logger = logging.getLogger(__name__)

PATH = "/api/webhooks/google"
RENEW_BEFORE = timedelta(days=1)


def push_possible(settings: Settings) -> bool:
    """True if Google can reach us."""
    return settings.public_url.startswith("https://")


async def channels_due(uow: UnitOfWork, settings: Settings) -> Sequence[UUID]:
    """Mentors whose calendar has no push channel that lasts another day; none where push isn't possible."""
    if not push_possible(settings):
        return []
    return await repository.mentors_without_channel(uow, datetime.now(UTC) + RENEW_BEFORE)


async def renew_channel(database: Database, google: Google, mentor_id: UUID) -> None:
    """Open a new push channel for the mentor's calendar, then end the one before: it is never unwatched.

    A mentor without a usable connection gets none, nor does anybody where push isn't possible; polling goes
    on then. Raises GoogleUnavailable.
    """
    if not push_possible(google.settings):
        return
    try:
        grant = await grants.required(database, google, mentor_id)
        secret, channel_id = new_secret(), str(new_id())
        async with grants.acting_for(database, google, grant):
            address = google.settings.public_url + PATH
            channel = await google.watch(grant.token, grant.calendar_id, channel_id, secret, address)
    except (NotConnected, GrantRevoked):
        return
    except (CalendarGone, GoogleRefused) as error:
        logger.warning("no push channel for the calendar of mentor %s: %s", mentor_id, error)
        return
    before = await _replace(database, grant, channel, secret)
    if before is not None:
        await end_channel(google, grant.token, *before)


async def _replace(database: Database, grant: Grant, channel: Channel, secret: str) -> tuple[str, str] | None:
    """Remember the new channel; gives the one to end: the one before, or, if the connection changed, the new."""
    async with database.service(ServiceDoor.CALENDAR) as uow:
        row = await repository.connection(uow, grant.mentor_id, lock=True)
        if row is None or (row.connected_at, row.google_calendar_id) != (
            grant.connected_at,
            grant.calendar_id,
        ):
            return channel.id, channel.resource_id
        before = held_channel(row.channel_id, row.channel_resource_id)
        row.channel_id, row.channel_resource_id = channel.id, channel.resource_id
        row.channel_token_hash = hash_secret(secret)
        row.channel_expires_at = channel.expires_at
        await uow.commit()
    return before


def held_channel(channel_id: str | None, resource_id: str | None) -> tuple[str, str] | None:
    """The channel's id and its resource's, None where there is no channel."""
    return (channel_id, resource_id) if channel_id and resource_id else None


async def end_channel(google: Google, token: str, channel_id: str, resource_id: str) -> None:
    """Have Google stop posting; if it can't be told, the channel ends by itself and is answered 404 until then."""
    try:
        await google.stop_channel(token, channel_id, resource_id)
    except GoogleError as error:
        logger.info("push channel %s was not stopped: %s", channel_id, error)


async def hear(database: Database, channel_id: str, secret: str, state: str, number: str) -> None:
    """Google says that something changed: read it soon. `state` and `number` are those of its message.

    Raises NotFound for a channel that isn't ours, or a secret that isn't the channel's.
    """
    async with database.service(ServiceDoor.WEBHOOK) as uow:
        row = await repository.by_channel(uow, channel_id)
        expected = row.channel_token_hash if row else None
        if row is None or expected is None or not hmac.compare_digest(expected, hash_secret(secret)):
            raise NotFound
        if state != "sync":  # the greeting of a new channel: nothing changed
            payload = {"mentor_id": str(row.mentor_id)}
            await uow.emit("calendar/mirror", payload, key=f"every:calendar/push:{channel_id}:{number}")
        await uow.commit()
