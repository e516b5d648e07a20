"""Local dates of the person who looks: where they begin and end, what they are called. Pure.

Instants are epoch seconds in UTC.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from whenever import Date, Instant, Time, YearMonth, ZonedDateTime

WEEKDAYS: Final = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
]
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@lru_cache(maxsize=4096)
def midnight(date: Date, zone: str) -> int:
    """When the date begins in the zone: after a gap at midnight where the clock goes on, of two midnights the first."""
    return date.at(Time.MIDNIGHT).assume_tz(zone, disambiguation="compatible").timestamp()


def bounds(date: Date, zone: str) -> tuple[int, int]:
    """Begin and end of the date in the zone; equal for a date that never was there."""
    return midnight(date, zone), midnight(date.add(days=1), zone)


def month_bounds(month: YearMonth, zone: str) -> tuple[int, int]:
    """Begin of the month's first date and end of its last."""
    return midnight(first_of(month), zone), midnight(first_of(next_month(month)), zone)


def date_of(seconds: int, zone: str) -> Date:
    """The local date of an instant."""
    return zoned(seconds, zone).date()


def zoned(seconds: int, zone: str) -> ZonedDateTime:
    """An instant on the zone's clock."""
    return Instant.from_timestamp(seconds).to_tz(zone)


def count_by_date(starts: Sequence[int], month: YearMonth, zone: str) -> dict[Date, int]:
    """How many of the instants, in order, lie within the bounds of each of the month's dates."""
    dates = [date for week in weeks(month) for date in week if date is not None]
    edges = [bisect_left(starts, midnight(date, zone)) for date in [*dates, first_of(next_month(month))]]
    return {date: after - before for date, (before, after) in zip(dates, pairwise(edges), strict=True)}


def first_of(month: YearMonth) -> Date:
    """The month's first date."""
    return month.on_day(1)


def next_month(month: YearMonth) -> YearMonth:
    """The month after."""
    return _month_of(first_of(month).add(days=31))


def previous_month(month: YearMonth) -> YearMonth:
    """The month before."""
    return _month_of(first_of(month).subtract(days=1))


def _month_of(date: Date) -> YearMonth:
    return date.year_month()


@lru_cache(maxsize=2048)
def iso(date: Date) -> str:
    """`2026-11-24`."""
    return date.format_iso()


@lru_cache(maxsize=2048)
def label(date: Date) -> str:
    """`Tuesday 24 November`."""
    return f"{WEEKDAYS[date.day_of_week().value - 1][1]} {date.day} {MONTHS[date.month - 1]}"


def month_label(month: YearMonth) -> str:
    """`November 2026`."""
    return f"{MONTHS[month.month - 1]} {month.year}"


@lru_cache(maxsize=128)
def weeks(month: YearMonth) -> list[list[Date | None]]:
    """The month's dates in weeks from Monday on; None before the first and after the last."""
    first = first_of(month)
    dates: list[Date | None] = [None] * (first.day_of_week().value - 1)
    date = first
    while date.month == month.month:
        dates.append(date)
        date = date.add(days=1)
    dates += [None] * (-len(dates) % 7)
    return [dates[index : index + 7] for index in range(0, len(dates), 7)]
