"""A weekly time as somebody asks for it: what is left open becomes what fits best. Pure: an Offers in, plain values out.

A wish is its address: every choice on the page is a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from app.booking import dates, series
from app.booking.offers import Offers
from app.booking.sentences import rfc3339
from app.booking.series import Plan, Weekly

PATH: Final = "/calendar/series"
_DAY: Final = 86_400
_WEEK: Final = timedelta(days=7)
_DAYTIME: Final = range(8, 21)


@dataclass(frozen=True)
class Wish:
    """What the address asks for; None leaves the choice to us. `choices`: see `series.plan`."""

    mentor_id: UUID
    weekday: int | None = None
    minute: int | None = None
    first: date | None = None
    count: int | None = None
    choices: Mapping[date, int | None] | None = None


@dataclass(frozen=True)
class Proposal:
    """The weekly time that a wish comes down to, with what is needed to show it in the viewer's zone."""

    offers: Offers
    zone: str
    wish: Wish

    @property
    def mentor_zone(self) -> str:
        """Whose clock keeps its time."""
        return self.offers.mentor.time_zone

    @cached_property
    def credit(self) -> int:
        """How many sessions can be booked."""
        return series.credit(self.offers.situation, self.offers.now)

    @cached_property
    def count(self) -> int:
        """How many sessions are wanted: the whole credit unless fewer were asked for."""
        return max(1, min(self.wish.count or self.credit, self.credit))

    @cached_property
    def weeks(self) -> list[date]:
        """The Mondays of the weeks in which a series can begin."""
        first = series.monday_of(self.mentor_zone, self.offers.now)
        last = series.monday_of(self.mentor_zone, self.offers.now + self.offers.mentor.horizon_days * _DAY)
        return [first + number * _WEEK for number in range((last - first).days // 7 + 1)]

    @cached_property
    def _times(self) -> Mapping[tuple[int, int], set[date]]:
        horizon = self.offers.now + self.offers.mentor.horizon_days * _DAY
        free = [slot.start for slot in self.offers.between(self.offers.now, horizon)]
        return series.weekly_times(self.mentor_zone, free)

    @cached_property
    def first(self) -> date:
        """The Monday of the first week: as asked, else of the first week with a time on offer."""
        if self.wish.first is not None:
            monday = self.wish.first - timedelta(days=self.wish.first.weekday())
            return min(max(monday, self.weeks[0]), self.weeks[-1])
        return min((min(mondays) for mondays in self._times.values()), default=self.weeks[0])

    @cached_property
    def weekly(self) -> Weekly:
        """As asked; what is left open is the time that is free in most weeks, of these one by day, the first to come."""
        wish = self.wish
        if wish.weekday is not None and wish.minute is not None:
            return self._from_now(wish.weekday, wish.minute)
        fitting = [key for key in self._times if wish.weekday in (None, key[0])]
        best = min(fitting, key=self._rank, default=None)
        return self._from_now(*(best or (wish.weekday or 1, 9 * 60)))

    def _rank(self, time: tuple[int, int]) -> tuple[int, bool, date, tuple[int, int]]:
        """The best one is the least: free in most weeks, while the student is awake, soon."""
        weekly = self._from_now(*time)
        starts = series.instants(self.mentor_zone, weekly.day(weekly.first), weekly.minute)
        asleep = any(dates.zoned(start, self.zone).hour not in _DAYTIME for start in starts)
        return -self.free_weeks(*time), asleep, weekly.first, time

    def _from_now(self, weekday: int, minute: int) -> Weekly:
        asked = Weekly(weekday, minute, self.first)
        first = series.first_week(self.offers.situation, self.offers.now, asked)
        return Weekly(weekday, minute, min(first, self.weeks[-1]))

    def free_weeks(self, weekday: int, minute: int) -> int:
        """In how many of the wanted weeks that time is on offer now."""
        first = self._from_now(weekday, minute).first
        wanted = {first + number * _WEEK for number in range(self.count)}
        return len(self._times.get((weekday, minute), set()) & wanted)

    @cached_property
    def plan(self) -> Plan:
        """Week by week."""
        choices = self.wish.choices or {}
        return series.plan(self.offers.situation, self.offers.now, self.weekly, self.count, choices)

    def minutes(self) -> list[int]:
        """The times of the weekday that are on offer in some week, and the one that is asked for."""
        found = {minute for weekday, minute in self._times if weekday == self.weekly.weekday}
        return sorted(found | {self.weekly.minute})

    def weekdays_on_offer(self) -> set[int]:
        """Weekdays with a time in some week."""
        return {weekday for weekday, _ in self._times}

    def query(self, choices: Mapping[date, int | None] | None = None, at: date | None = None) -> str:
        """The address's query, with other choices; `at`: the week that was just looked at."""
        weekly = self.weekly
        pairs = [
            ("mentor_id", str(self.offers.mentor.id)),
            ("weekday", str(weekly.weekday)),
            ("time", clock(weekly.minute)),
            ("from", weekly.first.isoformat()),
            ("count", str(self.count)),
        ]
        chosen = (self.wish.choices or {}) if choices is None else choices
        for monday, start in sorted(chosen.items()):
            pairs.append(("week", f"{monday.isoformat()}.{'skip' if start is None else utc(start)}"))
        if at is not None:
            pairs.append(("at", at.isoformat()))
        return urlencode(pairs, safe=":")

    def href(self, monday: date, choice: int | str) -> str:
        """The address with another choice for a week: a start, `skip`, or `usual` again."""
        choices = {key: value for key, value in (self.wish.choices or {}).items() if key != monday}
        if choice != "usual":
            choices[monday] = None if choice == "skip" else int(choice)
        return f"{PATH}?{self.query(choices, monday)}"


def clock(minute: int) -> str:
    """`14:30`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def utc(start: int) -> str:
    """The instant as programs write it."""
    return rfc3339(dates.zoned(start, "UTC"))


def proposal(offers: Offers, zone: str, wish: Wish) -> Proposal:
    """What the wish comes down to; choices for weeks that aren't shown are dropped."""
    found = Proposal(offers, zone, wish)
    known = {week.monday for week in found.plan.weeks}
    kept = {monday: start for monday, start in (wish.choices or {}).items() if monday in known}
    return found if kept == (wish.choices or {}) else Proposal(offers, zone, replace(wish, choices=kept))
