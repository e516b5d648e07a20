"""A calendar as people look at it: days with their events, and the forms' fields as events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from sandbox.google import times
from sandbox.google.accounts import Calendar
from sandbox.google.eventbook import Body, StoredEvent
from sandbox.google.freebusy import is_busy
from sandbox.google.lookup import happening

if TYPE_CHECKING:
    from sandbox.google.service import Google

REPEATS = {"daily": "RRULE:FREQ=DAILY", "weekly": "RRULE:FREQ=WEEKLY", "monthly": "RRULE:FREQ=MONTHLY"}


@dataclass(frozen=True)
class Entry:
    """One event on one day; times are wall times of the calendar's zone, as form fields take them."""

    id: str
    title: str
    hours: str
    notes: list[str]
    all_day: bool
    first: str
    last: str
    series: bool
    begins_here: bool


def days_of(google: Google, calendar: Calendar, start: datetime) -> list[tuple[datetime, list[Entry]]]:
    """Seven days from `start` (naive midnight in the calendar's zone) with what happens on them, in order."""
    zone = calendar.time_zone
    edges = [times.instant_of(start + timedelta(days=day), zone) for day in range(8)]
    events = sorted(happening(google, calendar, edges[0], edges[7]), key=lambda e: (e.start, e.end, e.id))
    return [
        (
            start + timedelta(days=day),
            [entry_of(e, zone, low) for e in events if e.start < high and e.end > low],
        )
        for day, (low, high) in enumerate(pairwise(edges))
    ]


def entry_of(event: StoredEvent, zone: str, day_start: int) -> Entry:
    """The event as it is shown on a day."""
    first, last = times.wall_of(event.start, zone), times.wall_of(event.end, zone)
    all_day = "date" in event.body["start"]
    same = first.date() == last.date()
    hours = (
        "all day"
        if all_day
        else f"{first:%H:%M} to {last:%H:%M}"
        if same
        else f"{first:%d %b %H:%M} to {last:%d %b %H:%M}"
    )
    if all_day:
        first, last = first.replace(hour=0, minute=0), last - timedelta(days=1)
    return Entry(
        id=event.id,
        title=event.body.get("summary") or "(no title)",
        hours=hours,
        notes=_notes(event),
        all_day=all_day,
        first=first.date().isoformat() if all_day else f"{first:%Y-%m-%dT%H:%M}",
        last=last.date().isoformat() if all_day else f"{last:%Y-%m-%dT%H:%M}",
        series=bool(event.master),
        begins_here=event.start >= day_start,
    )


def _notes(event: StoredEvent) -> list[str]:
    body = event.body
    notes = [] if is_busy(event) else ["free"]
    if body["status"] == "tentative":
        notes.append("tentative")
    if event.master:
        notes.append("repeats")
    if body.get("extendedProperties", {}).get("private"):
        notes.append("written by an application")
    if any(p.get("self") and p.get("responseStatus") == "declined" for p in body.get("attendees", ())):
        notes.append("declined")
    return notes


def times_of(values: dict[str, str], zone: str) -> Body:
    """A form's `first` and `last` as an event's start and end; with `all_day` both days are included."""
    first, last = values.get("first", ""), values.get("last", "")
    if "all_day" in values:
        return {"start": _day(first), "end": _day(last, 1)}
    return {
        name: {"dateTime": f"{text}:00" if len(text) == 16 else text, "timeZone": zone, "date": None}
        for name, text in (("start", first), ("end", last))
    }


def _day(text: str, later: int = 0) -> Body:
    try:
        day = times.next_day(text[:10], later)
    except (ValueError, OverflowError):
        day = text
    return {"date": day, "dateTime": None, "timeZone": None}


def fields_of(values: dict[str, str], zone: str) -> Body:
    """The form's fields as a new event."""
    event: Body = {"summary": values.get("summary", "").strip(), **times_of(values, zone)}
    if values.get("repeat") in REPEATS:
        event["recurrence"] = [REPEATS[values["repeat"]]]
    if "free" in values:
        event["transparency"] = "transparent"
    if "tentative" in values:
        event["status"] = "tentative"
    return event
