"""The days of an absence, and which sessions and times lie on them. Pure; instants are epoch seconds in UTC.

Days are local dates of the mentor. A session lies on a day if the mentor's clock shows it at any moment of the session.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from whenever import Date, Instant

from app.booking.dates import MONTHS, WEEKDAYS
from app.booking.slots import Span
from app.booking.zones import DAY, ERA_END, ERA_START, spans_of_dates
from app.core.errors import Invalid

MOST_DAYS: Final = 366
LAST_YEAR: Final = 2099
WEEKS: Final = 4
"""For so many weeks after an absence the usual weekday and time is looked for, before any other time."""


@dataclass(frozen=True)
class Days:
    """From the first to the last local date, both included."""

    first: dt.date
    last: dt.date

    @property
    def count(self) -> int:
        """How many days these are."""
        return (self.last - self.first).days + 1

    @property
    def ordinals(self) -> range:
        """Each of them, as `date.toordinal` counts."""
        return range(self.first.toordinal(), self.last.toordinal() + 1)

    @property
    def said(self) -> str:
        """`from Tue 24 Nov to Fri 27 Nov 2026`, `on Tue 24 Nov 2026`."""
        if self.first == self.last:
            return f"on {_said(self.last)} {self.last.year}"
        year = f" {self.first.year}" if self.first.year != self.last.year else ""
        return f"from {_said(self.first)}{year} to {_said(self.last)} {self.last.year}"

    @property
    def title(self) -> str:
        """As `said`, beginning a sentence."""
        return self.said[0].upper() + self.said[1:]

    def span(self, zone: str) -> Span | None:
        """When the first begins and the last ends on the zone's clock; None for dates that never are there."""
        around = _epoch(self.first) - 2 * DAY, _epoch(self.last) + 3 * DAY
        window = max(around[0], ERA_START), min(around[1], ERA_END)
        found = spans_of_dates(zone, [(self.first, self.last)], *window)
        return (found[0][0], found[-1][1]) if found else None


def checked(form: Mapping[str, str], today: dt.date) -> Days:
    """The days that a form names in `first_day` and `last_day`. Raises Invalid."""
    errors: dict[str, str] = {}
    found = {name: _date(form.get(name, ""), name, errors) for name in ("first_day", "last_day")}
    first, last = found["first_day"], found["last_day"]
    if first is not None and first < today:
        errors["first_day"] = f"That day is over: today is {today}."
    if first is not None and last is not None and "first_day" not in errors:
        if last < first:
            errors["last_day"] = "The last day comes before the first."
        elif (last - first).days >= MOST_DAYS:
            errors["last_day"] = "An absence lasts a year at most."
    if errors or first is None or last is None:
        raise Invalid(errors)
    return Days(first, last)


def touches(days: Days, zone: str, start: int, end: int) -> bool:
    """True if a session from `start` to `end` (exclusive) lies on one of the days."""
    spans = spans_of_dates(zone, [(days.first, days.last)], start, end)
    return any(max(since, start) < min(until, end) for since, until in spans)


def usual_times(start: int, zone: str, after: dt.date) -> list[int]:
    """The same weekday and wall time in each of the first WEEKS weeks after the date.

    A wall time that the clock skips that day is left out; of one that it shows twice the first is meant.
    """
    usual = Instant.from_timestamp(start).to_tz(zone)
    found: list[int] = []
    date = usual.date()
    while len(found) < WEEKS and date.to_stdlib() <= after + dt.timedelta(weeks=WEEKS):
        date = date.add(weeks=1)
        if date.to_stdlib() > after:
            there = date.at(usual.time()).assume_tz(zone, disambiguation="earlier")
            if there.to_plain().time() == usual.time():
                found.append(there.timestamp())
    return found


def wall_distance(start: int, other: int, zone: str) -> int:
    """How many minutes of the day two instants are apart on the zone's clock."""
    one, two = (Instant.from_timestamp(at).to_tz(zone).time() for at in (start, other))
    return abs((one.hour - two.hour) * 60 + one.minute - two.minute)


def _date(text: str, name: str, errors: dict[str, str]) -> dt.date | None:
    if not text.strip():
        errors[name] = "Choose a day."
        return None
    try:
        found = Date.parse_iso(text.strip()).to_stdlib()
    except ValueError:
        found = None
    if found is None or not 1970 < found.year <= LAST_YEAR:
        errors[name] = "That is no date such as 2026-11-24."
        return None
    return found


def _said(day: dt.date) -> str:
    return f"{WEEKDAYS[day.weekday()][0]} {day.day} {MONTHS[day.month - 1][:3]}"


def _epoch(day: dt.date) -> int:
    return (day - dt.date(1970, 1, 1)).days * DAY
