"""Finding events: stored ones, and the instances of series that nothing sets apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sandbox.google import times
from sandbox.google.accounts import Calendar
from sandbox.google.errors import not_found
from sandbox.google.eventbook import StoredEvent
from sandbox.google.recurrence import series_of
from sandbox.google.resources import instance_of

if TYPE_CHECKING:
    from sandbox.google.service import Google

_INSTANCE = re.compile(r"([a-v0-9]{5,1024})_(\d{8}(?:T\d{6}Z)?)")


def find(google: Google, calendar: Calendar, event_id: str) -> StoredEvent:
    """The event, series or instance of a series. Raises GoogleError 404."""
    stored = google.book.get(calendar.id, event_id)
    if stored and not (stored.gone and is_back(google, calendar, stored)):
        return stored
    named = _INSTANCE.fullmatch(event_id)
    master = google.book.get(calendar.id, named.group(1)) if named else None
    if named and master and master.recurring and not master.cancelled:
        start = _start_named(named.group(2), calendar.time_zone)
        for instance in instances(google, calendar, master, start - 1, start + 1):
            if instance.id == event_id:
                return instance
    raise not_found()


def _start_named(suffix: str, zone: str) -> int:
    try:
        if "T" in suffix:
            return times.instant_of(times.parse_stamp(suffix), "UTC")
        return times.instant_of(times.parse_stamp(f"{suffix}T000000"), zone)
    except ValueError:
        raise not_found() from None


def instances(
    google: Google, calendar: Calendar, master: StoredEvent, low: int, high: int
) -> list[StoredEvent]:
    """The occurrences of a live series in a range that no exception stands for."""
    known = google.book.exceptions(calendar.id, master.id)
    return [
        instance_of(master, start, end, calendar)
        for start, end in series_of(master.body, calendar.time_zone).between(low, high)
        if start not in known or known[start].gone
    ]


def is_back(google: Google, calendar: Calendar, gone: StoredEvent) -> bool:
    """True if the instance that a change abolished is part of its series again."""
    master = google.book.get(calendar.id, gone.master)
    if master is None or master.cancelled or not master.recurring:
        return False
    return series_of(master.body, calendar.time_zone).has(gone.original)


def happening(google: Google, calendar: Calendar, low: int, high: int) -> Iterator[StoredEvent]:
    """Every event and instance that is not deleted and overlaps the range, in no particular order."""
    for event in google.book.all(calendar.id):
        if event.start >= high or (event.end <= low and not event.recurring) or event.cancelled:
            continue
        if event.recurring:
            yield from instances(google, calendar, event, low, high)
        else:
            yield event
