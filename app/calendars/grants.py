"""On whose behalf Google is asked, and what happens when it no longer listens to them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.calendars import repository
from app.calendars.errors import GoogleUnavailable, GrantRevoked, NotConnected
from app.calendars.google import Google
from app.calendars.models import CalendarConnection, CalendarState
from app.core.crypto import Undecryptable
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """A usable connection as it was when it was read.

    `token` is the refresh token in the clear: never logged.
    """

    mentor_id: UUID
    token: str
    calendar_id: str
    left_calendar_id: str | None
    connected_at: datetime
    version: int
    sync_token: str | None
    synced_until: datetime | None
    time_zone: str | None

    def __repr__(self) -> str:
        return f"Grant(mentor_id={self.mentor_id})"


def opened(google: Google, row: CalendarConnection) -> Grant:
    """The grant in a connection. Raises GoogleUnavailable if none of our keys opens it."""
    try:
        token = google.cipher.decrypt(row.google_refresh_token)
    except Undecryptable:
        logger.error("no key in ENCRYPTION_KEYS opens the refresh token of mentor %s", row.mentor_id)
        raise GoogleUnavailable("the stored refresh token can't be opened") from None
    return Grant(
        mentor_id=row.mentor_id,
        token=token,
        calendar_id=row.google_calendar_id,
        left_calendar_id=row.left_calendar_id,
        connected_at=row.connected_at,
        version=row.mirror_version,
        sync_token=row.sync_token,
        synced_until=row.synced_until,
        time_zone=row.calendar_time_zone,
    )


async def find(uow: UnitOfWork, google: Google, mentor_id: UUID) -> Grant | None:
    """The mentor's grant, None without a connection.

    Raises GrantRevoked where Google was seen to refuse it.
    """
    row = await repository.connection(uow, mentor_id)
    if row is None:
        return None
    if row.state is CalendarState.REVOKED:
        raise GrantRevoked("revoked before")
    return opened(google, row)


async def required(database: Database, google: Google, mentor_id: UUID) -> Grant:
    """The mentor's grant, read in a transaction of its own. Raises NotConnected or GrantRevoked."""
    async with database.service(ServiceDoor.CALENDAR) as uow:
        grant = await find(uow, google, mentor_id)
    if grant is None:
        raise NotConnected
    return grant


@asynccontextmanager
async def acting_for(database: Database, google: Google, grant: Grant) -> AsyncIterator[None]:
    """Around calls to Google: a revoked grant is recorded and its mentor told, once; the error goes on."""
    try:
        yield
    except GrantRevoked:
        google.forget(grant.token)
        async with database.service(ServiceDoor.CALENDAR) as uow:
            if await repository.mark_revoked(uow, grant.mentor_id, grant.connected_at):
                await telling.tell(uow, "calendar_revoked", {"mentor_id": grant.mentor_id})
            await uow.commit()
        raise
