"""Changes to calendars, whoever makes them: the interface, a control call, or a person on the calendar page."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.google.accounts import Calendar
from sandbox.google.errors import GoogleError, invalid
from sandbox.google.eventbook import Body, StoredEvent
from sandbox.google.lookup import find
from sandbox.google.recurrence import series_of
from sandbox.google.resources import READ_ONLY, etag_of, instance_of, settled, with_conference

if TYPE_CHECKING:
    from sandbox.google.service import Google

YEAR = 366 * 86400
_OWN_ID = re.compile(r"[a-v0-9]{5,1024}")


def insert(
    google: Google, calendar: Calendar, body: Body, *, conference: bool = False, by: Any = None
) -> StoredEvent:
    """A new event. `by`: the organizer, if somebody else invited the calendar's owner.

    Raises GoogleError 400, or 409 for an id that was used before, even by a deleted event.
    """
    body = patched({}, body)
    event_id = body.get("id") or secrets.token_hex(13)
    if not _OWN_ID.fullmatch(event_id):
        raise invalid("Invalid resource id value.")
    if google.book.get(calendar.id, event_id):
        raise GoogleError(409, "duplicate", "The requested identifier already exists.")
    if body.get("eventType") == "fromGmail" or body.get("status") == "cancelled":
        raise invalid("Invalid value for: eventType or status")
    host: Body = {"email": calendar.id, "self": True}
    if not calendar.primary:
        host["displayName"] = calendar.summary
    moment = _now()
    given = {name: value for name, value in body.items() if name not in READ_ONLY}
    draft: Body = {
        "status": "confirmed",
        "htmlLink": f"https://www.google.com/calendar/event?eid={event_id}",
        "created": moment,
        "updated": moment,
        "creator": {"email": calendar.owner, **({"self": True} if calendar.primary else {})},
        "organizer": by or host,
        "iCalUID": body.get("iCalUID") or f"{event_id}@google.com",
        "sequence": body.get("sequence", 0),
        "reminders": {"useDefault": True},
        **given,
    }
    event, start, end = settled(with_conference(draft, conference, None), calendar)
    return _keep(google, StoredEvent(calendar.id, event_id, 0, start, end, event))


def change(
    google: Google,
    calendar: Calendar,
    event_id: str,
    body: Body,
    *,
    whole: bool,
    match: str = "",
    conference: bool = False,
) -> StoredEvent:
    """Patch an event, or replace it (`whole`). A change to an instance of a series makes it an exception.

    Raises GoogleError 400, 404, or 412 if `match` (an entity tag) is no longer the event's.
    """
    before = find(google, calendar, event_id)
    _require(before, match)
    _check_identity(before, body)
    given = {name: value for name, value in body.items() if name not in READ_ONLY}
    if whole:
        kept = {name: before.body[name] for name in READ_ONLY | {"eventType"} if name in before.body}
        merged = {"status": "confirmed", "reminders": {"useDefault": True}, **kept, **patched({}, given)}
    else:
        merged = patched(before.body, given)
    if before.master and merged.get("recurrence"):
        raise invalid("Cannot make an instance of a recurring event recurring.")
    event, start, end = settled(with_conference(merged, conference, before.body), calendar)
    event |= {"updated": _now(), "sequence": _sequence(before, event, body)}
    after = StoredEvent(calendar.id, before.id, 0, start, end, event, before.master, before.original)
    return _keep(google, after, before)


def remove(google: Google, calendar: Calendar, event_id: str, match: str = "") -> None:
    """Delete an event, a series, or one instance of a series. Raises GoogleError 404, 410 the second time, or 412."""
    before = find(google, calendar, event_id)
    if before.cancelled:
        raise GoogleError(410, "deleted", "Resource has been deleted")
    _require(before, match)
    body = before.body | {"status": "cancelled", "updated": _now(), "sequence": before.body["sequence"] + 1}
    after = StoredEvent(
        calendar.id, before.id, 0, before.start, before.end, body, before.master, before.original
    )
    _keep(google, after, before)


def patched(before: Any, patch: Any) -> Any:
    """JSON merge patch: objects merge, null removes, anything else replaces; without nulls inside lists either."""
    if isinstance(patch, list):
        return [patched(None, item) for item in patch]
    if not isinstance(patch, dict):
        return patch
    merged = dict(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = patched(merged.get(name), value)
    return merged


def _require(event: StoredEvent, match: str) -> None:
    if match and match != "*" and match != etag_of(event):
        raise GoogleError(
            412, "conditionNotMet", "Precondition Failed", location="If-Match", location_type="header"
        )


def _check_identity(before: StoredEvent, body: Body) -> None:
    if body.get("id", before.id) != before.id:
        raise invalid("Invalid resource id value.")
    if body.get("eventType", before.body["eventType"]) != before.body["eventType"]:
        raise invalid("Event type cannot be changed.", reason="eventTypeRestriction")
    if (body.get("sequence") or before.body["sequence"]) < before.body["sequence"]:
        raise invalid(
            "Invalid sequence value. The specified sequence number is below the current sequence number of the "
            "resource. Re-fetch the resource and use its sequence number on the following request."
        )


def _sequence(before: StoredEvent, event: Body, body: Body) -> int:
    """Rises when guests would have to look again: time, rule or status."""
    number = max(int(before.body["sequence"]), int(body.get("sequence") or 0))
    told = ("start", "end", "recurrence", "status", "location")
    return number + any(event.get(name) != before.body.get(name) for name in told)


def _keep(google: Google, after: StoredEvent, before: StoredEvent | None = None) -> StoredEvent:
    stored = google.book.put(after)
    if before and before.recurring:
        _abolish(google, before, stored)
    google.push.changed(after.calendar)
    return stored


def _abolish(google: Google, before: StoredEvent, after: StoredEvent) -> None:
    """Say of every instance that the changed series no longer has that it is gone."""
    calendar = google.accounts.calendars.get(before.calendar)
    if calendar is None or before.cancelled:
        return
    high = google.horizon()
    low = max(before.start - 1, high - 3 * YEAR)
    left: set[int] = set()
    if after.recurring and not after.cancelled:
        left = {start for start, _ in series_of(after.body, calendar.time_zone).between(low, high)}
    for start, end in series_of(before.body, calendar.time_zone).between(low, high):
        if start not in left:
            ghost = instance_of(before, start, end, calendar)
            body = {
                name: ghost.body[name]
                for name in ("recurringEventId", "originalStartTime", "eventType", "sequence")
            }
            body |= {"status": "cancelled", "start": ghost.body["start"], "end": ghost.body["end"]}
            google.book.put(
                StoredEvent(calendar.id, ghost.id, 0, start, end, body, before.id, start, gone=True)
            )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
