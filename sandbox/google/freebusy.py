"""freebusy.query: when an account's calendars are busy, and nothing else about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.google import times
from sandbox.google.accounts import Calendar
from sandbox.google.errors import GoogleError, invalid
from sandbox.google.eventbook import Body, StoredEvent
from sandbox.google.lookup import happening

if TYPE_CHECKING:
    from sandbox.google.service import Google

CALENDARS_AT_MOST = 50
LONGEST_SECONDS = 92 * 86400
NEVER_BUSY = ("workingLocation", "birthday")


def is_busy(event: StoredEvent) -> bool:
    """True if the event blocks its time: opaque and not declined; tentative ones do."""
    body = event.body
    if body.get("transparency") == "transparent" or body.get("eventType") in NEVER_BUSY:
        return False
    return not any(p.get("self") and p.get("responseStatus") == "declined" for p in body.get("attendees", ()))


def busy(google: Google, calendar: Calendar, low: int, high: int) -> list[tuple[int, int]]:
    """The calendar's busy ranges in epoch seconds, merged and cut to the asked range, in order."""
    spans = sorted(
        (max(event.start, low), min(event.end, high))
        for event in happening(google, calendar, low, high)
        if is_busy(event) and event.end > event.start
    )
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def answered(google: Google, account: str, body: Body) -> Body:
    """The answer to freebusy.query; calendars the account can't see carry an error in their place.

    Raises GoogleError 400 for a missing, empty or too long range (about three months).
    """
    low, high = _instant(body, "timeMin"), _instant(body, "timeMax")
    if high <= low:
        raise invalid("The specified time range is empty.", reason="timeRangeEmpty")
    if high - low > LONGEST_SECONDS:
        raise invalid("The requested time range is too long.", reason="timeRangeTooLong")
    zone = body.get("timeZone") or "UTC"
    if not times.is_zone(zone):
        raise invalid("Invalid time zone.")
    limit = body.get("calendarExpansionMax", CALENDARS_AT_MOST)
    if not 0 < limit <= CALENDARS_AT_MOST:
        raise invalid("Invalid value for: calendarExpansionMax")
    wanted = [item.get("id") or "" for item in body.get("items", [])]
    calendars = {
        name: _entry(google, account, name, low, high, zone)
        if place < limit
        else _problem("tooManyCalendarsRequested")
        for place, name in enumerate(dict.fromkeys(wanted))
    }
    return {
        "kind": "calendar#freeBusy",
        "timeMin": _stamp(low),
        "timeMax": _stamp(high),
        "calendars": calendars,
    }


def _instant(body: Body, name: str) -> int:
    if name not in body:
        raise GoogleError(400, "required", f"Missing {name} parameter.")
    try:
        return times.parse_instant(body[name])
    except ValueError:
        raise invalid("Bad Request", reason="badRequest") from None


def _entry(google: Google, account: str, name: str, low: int, high: int, zone: str) -> dict[str, Any]:
    calendar = google.accounts.calendar_of(account, name)
    if calendar is None:
        return _problem("notFound")
    spans = busy(google, calendar, low, high)
    return {"busy": [{"start": times.text_of(a, zone), "end": times.text_of(b, zone)} for a, b in spans]}


def _problem(reason: str) -> dict[str, Any]:
    return {"errors": [{"domain": "global", "reason": reason}], "busy": []}


def _stamp(instant: int) -> str:
    return times.text_of(instant, "UTC").removesuffix("Z") + ".000Z"
