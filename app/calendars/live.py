"""The live check: a moment before a booking, Google is asked about that window itself."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from uuid import UUID

from app.calendars import grants, repository
from app.calendars.errors import GoogleError, GrantRevoked
from app.calendars.google import Google
from app.calendars.grants import Grant
from app.calendars.repository import TimeSpan
from app.core.db import Database
from app.core.errors import Unavailable
from app.core.rls import ServiceDoor

logger = logging.getLogger(__name__)

ATTEMPTS = 3
CODE = "calendar_unavailable"
NO_ANSWER = (
    "The instructor's Google Calendar didn't answer in time, so nothing was booked. Please try again in a few"
    " minutes."
)
WITHDRAWN = (
    "The instructor's Google Calendar has to be connected again before anybody can book. Nothing was booked, and"
    " the instructor has been told."
)

Span = tuple[int, int]


async def busy_live(database: Database, google: Google, mentor_id: UUID, start: int, end: int) -> list[Span]:
    """When the mentor is busy in [start, end) by Google at this moment; all in epoch seconds, half-open.

    Spans are whole, so that they may reach over the edges. Events that we wrote don't count, sessions do that
    themselves. The mirror is brought in line for this window. Nothing for a mentor without Google. Who asks
    the same at the same time shares one question. No transaction may be open. Raises Unavailable
    (`calendar_unavailable`) where Google doesn't answer within its time limit or the grant is revoked, which
    is recorded.
    """
    key = (mentor_id, start, end)
    return await google.live_checks.run(key, lambda: _busy_live(database, google, mentor_id, start, end))


async def _busy_live(database: Database, google: Google, mentor_id: UUID, start: int, end: int) -> list[Span]:
    window = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    try:
        for _ in range(ATTEMPTS):
            found = await _once(database, google, mentor_id, window)
            if found is not None:
                return sorted((int(a.timestamp()), -int(-b.timestamp() // 1)) for a, b in found.values())
    except GrantRevoked:
        raise Unavailable(WITHDRAWN, code=CODE) from None
    except GoogleError as error:
        logger.warning("live check of mentor %s failed: %s", mentor_id, error)
        raise Unavailable(NO_ANSWER, code=CODE) from error
    raise Unavailable(NO_ANSWER, code=CODE)


async def _once(
    database: Database, google: Google, mentor_id: UUID, window: TimeSpan
) -> dict[str, TimeSpan] | None:
    """The busy spans by event id; None if the mirror changed while Google was asked."""
    async with database.service(ServiceDoor.CALENDAR) as uow:
        grant = await grants.find(uow, google, mentor_id)
        known = await repository.windows_touching(uow, mentor_id, *window) if grant else {}
    if grant is None:
        return {}
    async with grants.acting_for(database, google, grant):
        listing = await google.list_events(grant.token, grant.calendar_id, *window)
    found = {event.id: event.span for event in listing.events if event.span is not None}
    if found == known or await _keep(database, grant, known, found):
        return found
    return None


async def _keep(
    database: Database, grant: Grant, known: dict[str, TimeSpan], found: dict[str, TimeSpan]
) -> bool:
    """Replace this window's part of the mirror.

    It stays as old as it was: elsewhere nothing was looked at.
    """
    async with database.service(ServiceDoor.CALENDAR) as uow:
        raised = {"mirror_version": grant.version + 1}
        if not await repository.claim_version(
            uow, grant.mentor_id, grant.connected_at, grant.version, raised
        ):
            return False
        await repository.drop_windows(uow, grant.mentor_id, known.keys() - found.keys())
        await repository.put_windows(uow, grant.mentor_id, found)
        await uow.commit()
    return True
