"""Keeping the mentor's Google Calendar in line with a session: by state, one writer at a time, repeated if it moved on.

`event_sync` says how far it is, `event_claimed_until` (machine time) who is at it. A writer that dies leaves a claim
that ends by itself and an outbox event that comes again; whatever it had done in Google is found there by the event's
derived id.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.booking import sync_repository as repository
from app.booking.models import Conflict, EventSync, SessionStatus
from app.booking.sync_repository import Claim
from app.calendars import service as calendars
from app.calendars.errors import (
    CalendarGone,
    GoogleRefused,
    GoogleUnavailable,
    GrantRevoked,
    NotConnected,
    Overtaken,
)
from app.calendars.events import EventToWrite, Outcome
from app.calendars.google import Google
from app.core.db import Database
from app.core.outbox import Busy, Retry
from app.core.rls import ServiceDoor
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling

CLAIM_SECONDS: Final = 20.0
GOOGLE_SECONDS: Final = 15.0
"""Longer than this a claim's holder doesn't speak to Google, so that nobody writes without a claim."""
ROUNDS: Final = 5


@dataclass(frozen=True)
class _Result:
    """What the calendar holds now. `sync` None: try again. `event_id` None: no event."""

    sync: EventSync | None
    event_id: str | None = None
    conflict: Conflict | None = None
    conflict_start: datetime | None = None
    reason: str = ""


async def sync_calendar(
    database: Database,
    google: Google,
    session_id: UUID,
    *,
    public_url: str,
    check: bool = False,
    last_attempt: bool = False,
) -> None:
    """Write, move or remove a session's event until the calendar holds the session's newest state.

    `check`: look even if everything was written, since Google told of something else. `last_attempt`: nobody tries
    again after this one; a failure is final and the mentor is told. No transaction may be open. Raises Busy while
    somebody else is at it, Retry where trying again helps.
    """
    for _ in range(ROUNDS):
        claim = await _claim(database, session_id, check)
        if claim is None:
            return
        result = await _apply(database, google, claim, public_url)
        if result.sync is None and last_attempt:
            final = EventSync.WRITTEN if claim.event_version == claim.version else EventSync.FAILED
            result = _Result(final, claim.written_id, reason=result.reason)
        if await _settle(database, claim, result):
            return
        check = False
    raise Retry("the session kept changing while it was written")


async def _claim(database: Database, session_id: UUID, check: bool) -> Claim | None:
    """The session, ours to write; None if there is nothing to do. Raises Busy while somebody else is at it."""
    async with database.service(ServiceDoor.JOB) as uow:
        claim = await repository.claim(uow, session_id, CLAIM_SECONDS, check)
        left = None if claim else await repository.claimed_for(uow, session_id, check)
        await uow.commit()
    if left is not None:
        raise Busy("another worker is writing this session's event", after_seconds=left)
    return claim


async def _apply(database: Database, google: Google, claim: Claim, public_url: str) -> _Result:
    """Bring Google to the claimed state; failures become states."""
    try:
        async with asyncio.timeout(GOOGLE_SECONDS):
            if claim.status is SessionStatus.CANCELED:
                event_id = calendars.event_id(claim.id, claim.generation)
                await calendars.remove_event(database, google, claim.mentor_id, event_id)
                return _Result(EventSync.WRITTEN)
            return await _write(database, google, claim, public_url)
    except NotConnected:
        return _Result(EventSync.NONE)
    except GrantRevoked:
        return _Result(EventSync.PENDING, claim.written_id)
    except (CalendarGone, GoogleRefused) as error:
        return _Result(EventSync.FAILED, claim.written_id, reason=str(error))
    except (GoogleUnavailable, Overtaken, TimeoutError) as error:
        return _Result(None, claim.written_id, reason=str(error) or type(error).__name__)


async def _write(database: Database, google: Google, claim: Claim, public_url: str) -> _Result:
    event = EventToWrite(
        session_id=claim.id,
        generation=claim.generation,
        version=claim.version,
        summary=f"Session with {claim.student_name}",
        description=f"{public_url}/sessions/{claim.id}",
        start=claim.scheduled_at,
        end=claim.ends_at,
    )
    written = await calendars.write_event(database, google, claim.mentor_id, event)
    if written.outcome is Outcome.WRITTEN or claim.status is not SessionStatus.SCHEDULED:
        return _Result(EventSync.WRITTEN, written.event_id)
    if written.outcome is Outcome.MOVED:
        return _Result(EventSync.WRITTEN, written.event_id, Conflict.MOVED, written.start)
    return _Result(EventSync.WRITTEN, written.event_id, Conflict.DELETED)


async def _settle(database: Database, claim: Claim, result: _Result) -> bool:
    """Record the result if the session is still as it was claimed; else give it back, and False: once more.

    An event that was deleted before we knew it in this calendar (it was ours to clear, or somebody died between
    writing and recording) is no conflict: it is written again under another id.
    """
    unknown = claim.written_id is None and result.conflict is Conflict.DELETED
    async with database.service(ServiceDoor.JOB) as uow:
        if unknown or result.sync is None:
            await repository.release(uow, claim, next_generation=unknown)
            done = False
        else:
            done = await _record(uow, claim, result, result.sync)
        await uow.commit()
    if result.sync is None:
        raise Retry(result.reason)
    return done


async def _record(uow: UnitOfWork, claim: Claim, result: _Result, sync: EventSync) -> bool:
    values: dict[str, Any] = {"event_sync": sync, "google_calendar_event_id": result.event_id}
    if sync is EventSync.WRITTEN:
        values |= {
            "event_version": claim.version,
            "conflict": result.conflict,
            "conflict_start": result.conflict_start,
        }
    if not await repository.finish(uow, claim, values):
        await repository.release(uow, claim)
        return False
    news = (result.conflict, result.conflict_start) != (claim.conflict, claim.conflict_start)
    if result.conflict is not None and news:
        moved_to = iso(result.conflict_start) if result.conflict_start else None
        payload = {"session_id": claim.id, "conflict": result.conflict, "conflict_start": moved_to}
        await telling.tell(uow, "calendar_conflict", payload)
    if sync is EventSync.FAILED:
        payload = {"session_id": claim.id, "version": claim.version, "reason": result.reason[:300]}
        await telling.tell(uow, "calendar_failed", payload)
    return True
