"""The month, the day and the balance as the templates show them. Pure: an Offers in, plain values out."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from whenever import Date, YearMonth

from app.booking import dates
from app.booking.offers import Offers, instant
from app.booking.sentences import closed_sentence, nothing_left, repeated_note
from app.booking.slots import Slot

_PARTS: Final = ((5, "Night"), (12, "Morning"), (17, "Afternoon"), (24, "Evening"))
_LEVELS: Final = (1, 3, 6)
"""From how many free times on a day's mark is a third, two thirds or all full."""


@dataclass(frozen=True)
class Picker:
    """Where a student picks a time: `path` and `query` make the addresses of its days and months."""

    offers: Offers
    zone: str
    path: str
    query: dict[str, str]

    def day_href(self, date: Date) -> str:
        """The day's own address."""
        return f"{self.path}?{urlencode({**self.query, 'day': date.format_iso()})}"

    def month_href(self, month: YearMonth) -> str:
        """The month's own address."""
        return f"{self.path}?{urlencode({**self.query, 'month': month.format_iso()})}"

    @property
    def today(self) -> Date:
        """The date it is for the viewer."""
        return dates.date_of(self.offers.now, self.zone)

    @property
    def last(self) -> Date:
        """The last date of the mentor's horizon."""
        return dates.date_of(self.offers.now + self.offers.mentor.horizon_days * 86_400, self.zone)

    def month(self, month: YearMonth, selected: Date | None) -> dict[str, Any]:
        """The context of booking/_month.html."""
        since, until = dates.month_bounds(month, self.zone)
        free = self._free_by_date(since, until)
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

    def cell(self, date: Date, selected: Date | None) -> dict[str, Any]:
        """The context of booking/_day_cell.html for one date."""
        return self._cell(date, len(self.offers.between(*dates.bounds(date, self.zone))), selected)

    def first_free(self, since: int, until: int) -> Date | None:
        """The date of the first slot in the window."""
        found = self.offers.between(since, until)
        return dates.date_of(found[0].start, self.zone) if found else None

    def day(self, date: Date) -> dict[str, Any]:
        """The context `day` of booking/_day.html."""
        since, until = dates.bounds(date, self.zone)
        slots = self.offers.between(since, until)
        return {
            "date": date.format_iso(),
            "label": dates.label(date),
            "href": self.day_href(date),
            "starts": instant(since),
            "ends": instant(until),
            "parts": self._parts(slots),
            "count": len(slots),
            "closed": self._closed(since, until) if date >= self.today else [],
            "nothing": None if slots else nothing_left(date, self.today, self.last, self.offers),
            "next_free": None if slots else self._next_free(until),
        }

    def _free_by_date(self, since: int, until: int) -> Counter[Date]:
        starts = [slot.start for slot in self.offers.between(since, until)]
        return dates.count_by_date(starts, self.zone, since, until)

    def _cell(self, date: Date, free: int, selected: Date | None) -> dict[str, Any]:
        return {
            "date": date.format_iso(),
            "number": date.day,
            "label": dates.label(date),
            "free": free,
            "level": sum(free >= least for least in _LEVELS),
            "href": self.day_href(date) if self.today <= date <= self.last else None,
            "selected": date == selected,
            "today": date == self.today,
        }

    def _parts(self, slots: Sequence[Slot]) -> list[dict[str, Any]]:
        parts: dict[str, list[dict[str, Any]]] = {}
        for slot in slots:
            local = dates.zoned(slot.start, self.zone)
            name = next(name for before, name in _PARTS if local.hour < before)
            shown = {
                "start": instant(slot.start),
                "end": instant(slot.end),
                "key": uuid.uuid4().hex,
                "note": repeated_note(local, self.zone),
            }
            parts.setdefault(name, []).append(shown)
        return [{"name": name, "slots": shown} for name, shown in parts.items()]

    def _closed(self, since: int, until: int) -> list[dict[str, Any]]:
        """Times that aren't offered, those in a row for the same reason as one."""
        step = self.offers.mentor.step_minutes * 60
        rows: list[tuple[int, int, str]] = []
        for slot, reason in self.offers.closed(since, until):
            if rows and rows[-1][2] == reason and slot.start <= rows[-1][1]:
                rows[-1] = rows[-1][0], min(slot.start + step, until), reason
            else:
                rows.append((slot.start, min(slot.start + step, until), reason))
        return [
            {
                "start": instant(start),
                "end": instant(end),
                "sentence": closed_sentence(reason, self.offers.mentor),
            }
            for start, end, reason in rows
        ]

    def _next_free(self, after: int) -> dict[str, str] | None:
        horizon = self.offers.now + (self.offers.mentor.horizon_days + 1) * 86_400
        found = self.first_free(max(after, self.offers.now), horizon)
        return None if found is None else {"href": self.day_href(found), "label": dates.label(found)}
