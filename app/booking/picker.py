"""The month, the day and the balance as the templates show them. Pure: an Offers in, plain values out."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec
from whenever import Date, YearMonth

from app.booking import dates
from app.booking.offers import Offers, instant
from app.booking.sentences import (
    closed_sentence,
    elsewhere,
    nothing_left,
    repeated_note,
    rfc3339,
    spoken_day,
    wall_time,
)
from app.booking.slots import Slot

_PARTS: Final = ((5, "Night"), (12, "Morning"), (17, "Afternoon"), (24, "Evening"))
_LEVELS: Final = (1, 3, 6)
"""From how many free times on a day's mark is a third, two thirds or all full."""


class SlotFace(msgspec.Struct, frozen=True):
    """What a slot says, the same to everybody in the zone."""

    id: str
    iso: str
    time: str
    there: str | None
    note: str | None


class SlotView(NamedTuple):
    """A slot as booking/_slot.html takes it."""

    face: SlotFace
    key: str


class PartView(msgspec.Struct):
    """A part of the day that has slots."""

    name: str
    slots: list[SlotView]


class ClosedView(msgspec.Struct, frozen=True):
    """Times in a row that are closed for the same reason."""

    starts: str
    ends: str
    since: str
    until: str
    sentence: str


class CellView(msgspec.Struct, frozen=True):
    """A day of the month as booking/_day_cell.html takes it."""

    date: str
    number: int
    spoken: str
    level: int
    href: str | None
    selected: bool
    today: bool


class DayView(msgspec.Struct):
    """The day as booking/_day.html takes it."""

    date: str
    label: str
    href: str
    starts: datetime
    ends: datetime
    parts: list[PartView]
    count: int
    closed: tuple[ClosedView, ...]
    nothing: str | None
    next_free: dict[str, str] | None


@dataclass(frozen=True)
class Picker:
    """Where a student picks a time: `path` and `query` make the addresses of its days and months.

    `there`: the zone whose time stands beside the viewer's, where it isn't the mentor's.
    """

    offers: Offers
    zone: str
    path: str
    query: dict[str, str]
    there: str | None = None

    def day_href(self, date: Date) -> str:
        """The day's own address."""
        return _day_href(self._base, date)

    def month_href(self, month: YearMonth) -> str:
        """The month's own address."""
        return f"{self._base}month={month.format_iso()}"

    @cached_property
    def _base(self) -> str:
        return f"{self.path}?{urlencode(self.query)}{'&' if self.query else ''}"

    @cached_property
    def today(self) -> Date:
        """The date it is for the viewer."""
        return dates.date_of(self.offers.now, self.zone)

    @cached_property
    def last(self) -> Date:
        """The last date of the mentor's horizon."""
        return dates.date_of(self.offers.now + self.offers.mentor.horizon_days * 86_400, self.zone)

    def month(self, month: YearMonth, selected: Date | None) -> dict[str, Any]:
        """The context of booking/_month.html."""
        slots = self.offers.between(*dates.month_bounds(month, self.zone))
        free = dates.count_by_date([slot.start for slot in slots], month, self.zone)
        before, after = dates.previous_month(month), dates.next_month(month)
        return {
            "label": dates.month_label(month),
            "previous": self.month_href(before) if before >= self.today.year_month() else None,
            "next": self.month_href(after) if after <= self.last.year_month() else None,
            "weekdays": dates.WEEKDAYS,
            "weeks": [
                [None if date is None else self._cell(date, free[date], selected) for date in week]
                for week in dates.weeks(month)
            ],
        }

    def cell(self, date: Date, selected: Date | None) -> CellView:
        """One date in the month."""
        return self._cell(date, len(self.offers.between(*dates.bounds(date, self.zone))), selected)

    def first_free(self, since: int, until: int) -> Date | None:
        """The date of the first slot in the window."""
        found = self.offers.between(since, until)
        return dates.date_of(found[0].start, self.zone) if found else None

    def day(self, date: Date) -> DayView:
        """One date with its slots."""
        since, until = dates.bounds(date, self.zone)
        slots = self.offers.between(since, until)
        return DayView(
            date=dates.iso(date),
            label=dates.label(date),
            href=self.day_href(date),
            starts=instant(since),
            ends=instant(until),
            parts=self._parts(slots),
            count=len(slots),
            closed=self._closed(since, until) if date >= self.today else (),
            nothing=None if slots else self._nothing(date, since, until),
            next_free=None if slots else self._next_free(until),
        )

    def _nothing(self, date: Date, since: int, until: int) -> str:
        reasons = {reason for _, _, reason in self.offers.closed(since, until)}
        return nothing_left(date, self.today, self.last, self.offers, reasons)

    def _cell(self, date: Date, free: int, selected: Date | None) -> CellView:
        base = self._base if self.today <= date <= self.last else None
        return _cell(date, free, base, date == self.today, date == selected)

    def _parts(self, slots: Sequence[Slot]) -> list[PartView]:
        parts: dict[str, list[SlotView]] = {}
        for slot in slots:
            part, face = _face(slot.start, self.zone, self.there or self.offers.mentor.time_zone)
            parts.setdefault(part, []).append(SlotView(face, os.urandom(16).hex()))
        return [PartView(name, shown) for name, shown in parts.items()]

    def _closed(self, since: int, until: int) -> tuple[ClosedView, ...]:
        step = self.offers.mentor.step_minutes * 60
        rows: list[tuple[int, int, str]] = []
        for start, _, reason in self.offers.closed(since, until):
            if rows and rows[-1][2] == reason and start <= rows[-1][1]:
                rows[-1] = rows[-1][0], min(start + step, until), reason
            else:
                rows.append((start, min(start + step, until), reason))
        return tuple([self._closed_view(*row) for row in rows])

    def _closed_view(self, start: int, end: int, reason: str) -> ClosedView:
        return ClosedView(
            *_from_to(start, end, self.zone), sentence=closed_sentence(reason, self.offers.mentor)
        )

    def _next_free(self, after: int) -> dict[str, str] | None:
        horizon = self.offers.now + (self.offers.mentor.horizon_days + 1) * 86_400
        found = self.first_free(max(after, self.offers.now), horizon)
        return None if found is None else {"href": self.day_href(found), "label": dates.label(found)}


@lru_cache(maxsize=8192)
def _cell(date: Date, free: int, base: str | None, today: bool, selected: bool) -> CellView:
    """A day of the month; `base`: what its address begins with, None where it can't be picked. Kept, as they are."""
    return CellView(
        date=dates.iso(date),
        number=date.day,
        spoken=spoken_day(date, free, today=today),
        level=bisect_right(_LEVELS, free),
        href=None if base is None else _day_href(base, date),
        selected=selected,
        today=today,
    )


def _day_href(base: str, date: Date) -> str:
    return f"{base}day={dates.iso(date)}"


@lru_cache(maxsize=8192)
def _face(start: int, zone: str, mentor_zone: str) -> tuple[str, SlotFace]:
    """The part of the day and what the slot says. Kept: everybody looks at the same half hours."""
    local, there = dates.zoned(start, zone), dates.zoned(start, mentor_zone)
    iso = rfc3339(local)
    face = SlotFace(
        id=iso.replace(":", ""),
        iso=iso,
        time=wall_time(local),
        there=elsewhere(local, there, mentor_zone),
        note=repeated_note(local, zone),
    )
    return next(name for before, name in _PARTS if local.hour < before), face


@lru_cache(maxsize=8192)
def _from_to(start: int, end: int, zone: str) -> tuple[str, str, str, str]:
    """A ClosedView's fields but for the sentence."""
    first, last = dates.zoned(start, zone), dates.zoned(end, zone)
    return rfc3339(first), rfc3339(last), wall_time(first), wall_time(last)
