"""Events as Google tells and takes them, cut down to what matters here. Pure.

What an event of the mentor's is about is never asked for, so it can't be kept: `FIELDS` names all that is
read.
"""

from __future__ import annotations

import hashlib
from base64 import b32hexencode
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from whenever import Date, Time

from app.core.templating import iso

FIELDS = (
    "items(id,etag,status,start,end,transparency,eventType,attendees(self,responseStatus),"
    "extendedProperties/private),timeZone,nextPageToken,nextSyncToken"
)
PREFIX = "session"
"""Ids of our events begin with it: of a deleted event Google tells nothing but the id."""
DELETED = "cancelled"
_NEVER_BUSY = ("workingLocation", "birthday")


@dataclass(frozen=True, slots=True)
class Event:
    """An event, or one instance of a series.

    `status` is Google's: confirmed, tentative or cancelled (deleted). `start` and `end` are UTC, half-open,
    None of a deleted event. `busy`: it makes its time unavailable, were it not ours. `ours`: it carries the
    mark of a session, or is deleted and has an id as we give them. `session_id` and `version` are what we
    wrote into it.
    """

    id: str
    etag: str
    status: str
    start: datetime | None
    end: datetime | None
    busy: bool
    ours: bool
    all_day: bool = False
    session_id: UUID | None = None
    version: int | None = None

    @property
    def deleted(self) -> bool:
        """True if it is in the calendar no more."""
        return self.status == DELETED

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The time it takes from students: None where it takes none."""
        if self.ours or not self.busy or self.start is None or self.end is None:
            return None
        return (self.start, self.end) if self.start < self.end else None


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """What became of an event that we wrote; `session_id` None: only its id is known.

    `status` is Google's: `confirmed`, `tentative` or `cancelled` (deleted: then no start and end). Instants
    are UTC.
    """

    session_id: UUID | None
    event_id: str
    status: str
    start: datetime | None
    end: datetime | None
    etag: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole answer of events.list, all its pages; `sync_token` asks for what changed after it."""

    events: list[Event]
    time_zone: str
    sync_token: str | None


@dataclass(frozen=True, slots=True)
class EventToWrite:
    """The state an event should have: `version` and `generation` are the session's, `start` and `end` UTC."""

    session_id: UUID
    generation: int
    version: int
    summary: str
    description: str
    start: datetime
    end: datetime

    @property
    def id(self) -> str:
        """The event's id, the same however often it is written."""
        return event_id(self.session_id, self.generation)


class Outcome(StrEnum):
    """`written`: the calendar holds this version or a newer one. `deleted`: it is gone, and its id used up.

    `moved`: this very version was written before, and the mentor moved it since; it was left as it is.
    """

    WRITTEN = "written"
    DELETED = "deleted"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Written:
    """What the calendar holds after a write: which `version` of the session, and where it lies (UTC).

    Of a deleted event `version` is the last that was written, as far as Google tells.
    """

    outcome: Outcome
    event_id: str
    etag: str
    version: int | None
    start: datetime | None

    @property
    def needs_new_generation(self) -> bool:
        """True if only an event with another id can be written."""
        return self.outcome is Outcome.DELETED


def event_id(session_id: UUID, generation: int) -> str:
    """The id of a session's event, of Google's alphabet [a-v0-9]; a higher generation gives a fresh one."""
    digest = hashlib.sha256(f"{session_id}/{generation}".encode()).digest()
    return PREFIX + b32hexencode(digest).decode().rstrip("=").lower()


def body_of(event: EventToWrite) -> dict[str, Any]:
    """The event as Google takes it. No guests: both people get our own invitation by mail."""
    return {
        "summary": event.summary,
        "description": event.description,
        "start": {"dateTime": iso(event.start), "timeZone": "UTC"},
        "end": {"dateTime": iso(event.end), "timeZone": "UTC"},
        "transparency": "opaque",
        "reminders": {"useDefault": True},
        "extendedProperties": {
            "private": {"session_id": str(event.session_id), "version": str(event.version)}
        },
    }


def patch_of(event: EventToWrite, held: Event) -> dict[str, Any]:
    """What makes the `held` event the wanted one; whatever else the mentor put there stays."""
    body = body_of(event)
    if held.all_day:
        for moment in (body["start"], body["end"]):
            moment["date"] = None
    return body


def parse_event(item: dict[str, Any], time_zone: str) -> Event:
    """An event of Google's; `time_zone` is the calendar's, in which all-day events lie."""
    status = item.get("status", "confirmed")
    deleted = status == DELETED
    private = item.get("extendedProperties", {}).get("private", {})
    return Event(
        id=item["id"],
        etag=item.get("etag", ""),
        status=status,
        start=None if deleted else _instant(item["start"], time_zone),
        end=None if deleted else _instant(item["end"], time_zone),
        busy=not deleted and _is_busy(item),
        ours="session_id" in private or (deleted and item["id"].startswith(PREFIX)),
        all_day=not deleted and "date" in item["start"],
        session_id=_uuid(private.get("session_id")),
        version=_number(private.get("version")),
    )


def own_event(event: Event) -> OwnEvent:
    """What booking needs to know of one of our events."""
    return OwnEvent(event.session_id, event.id, event.status, event.start, event.end, event.etag)


def _is_busy(item: dict[str, Any]) -> bool:
    if item.get("transparency") == "transparent" or item.get("eventType") in _NEVER_BUSY:
        return False
    return not any(
        person.get("self") and person.get("responseStatus") == "declined"
        for person in item.get("attendees", ())
    )


def _instant(moment: dict[str, str], time_zone: str) -> datetime:
    if "dateTime" in moment:
        return datetime.fromisoformat(moment["dateTime"]).astimezone(UTC)
    # A midnight in a gap is where the clock goes on; of a midnight that comes twice, the first.
    midnight = Date.parse_iso(moment["date"]).at(Time.MIDNIGHT)
    return midnight.assume_tz(time_zone, disambiguation="compatible").to_instant().to_stdlib()


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
