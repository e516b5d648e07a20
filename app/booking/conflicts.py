"""What the mentor did to our events in Google: noticed when the calendar is read, looked at, shown; never followed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.booking import sync_repository
from app.booking.models import Conflict, EventSync, Session, SessionStatus
from app.calendars.events import OwnEvent
from app.core import clock
from app.core.unit_of_work import UnitOfWork

_Row = sa.Row[UUID, str | None, datetime, datetime, Conflict | None, datetime | None]
_KNOWN = (
    Session.id,
    Session.google_calendar_event_id,
    Session.scheduled_at,
    Session.ends_at,
    Session.conflict,
    Session.conflict_start,
)


async def note_conflicts(uow: UnitOfWork, own_events: Iterable[OwnEvent]) -> int:
    """Have the sessions looked at whose event isn't where it was written; returns how many.

    The answer that `own_events` comes from may be older than our last write, so nothing is concluded from it: the
    calendar job asks Google for the event itself. Sessions that have begun are past changing.
    """
    seen = list(own_events)
    query = sa.select(*_KNOWN).where(
        sa.or_(
            Session.id.in_([event.session_id for event in seen if event.session_id]),
            Session.google_calendar_event_id.in_([event.event_id for event in seen]),
        ),
        Session.status == SessionStatus.SCHEDULED,
        Session.event_sync == EventSync.WRITTEN,
        Session.scheduled_at > clock.now(),
    )
    by_event = {row.google_calendar_event_id: row for row in (await uow.session.execute(query)).all()}
    noticed = [event for event in seen if _differs(event, by_event.get(event.event_id))]
    for event in noticed:
        session_id = by_event[event.event_id].id
        payload = {"session_id": session_id, "check": True}
        await uow.emit(
            "calendar/write", payload, key=f"calendar/check:{session_id}:{event.status}:{event.etag}"
        )
    return len(noticed)


async def replay_calendar(uow: UnitOfWork, mentor_id: UUID) -> int:
    """Have everything written that waits for this mentor's calendar, after it was connected (again) or chosen anew.

    Returns how many sessions that are.
    """
    waiting = await sync_repository.replay(uow, mentor_id, clock.now())
    for session_id in waiting:
        await uow.emit("calendar/write", {"session_id": session_id})
    return len(waiting)


def _differs(event: OwnEvent, row: _Row | None) -> bool:
    """True if the event tells something about its session that we don't know yet."""
    if row is None:
        return False
    if event.status == "cancelled":
        return row.conflict is not Conflict.DELETED
    if (event.start, event.end) == (row.scheduled_at, row.ends_at):
        return row.conflict is not None
    return row.conflict is not Conflict.MOVED or row.conflict_start != event.start
