"""Recurring events: when a series happens. Rules run on wall time in the series' own zone, so that 09:00 stays 09:00."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from dateutil.rrule import rruleset, rrulestr

from sandbox.google import times
from sandbox.google.errors import invalid

_LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;[^:;]+)*):(.+)")
_ALWAYS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
_PARTS = {
    "DAILY": {"BYDAY", "BYMONTH", "BYMONTHDAY"},
    "WEEKLY": {"BYDAY", "BYMONTH"},
    "MONTHLY": {"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"},
    "YEARLY": {"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"},
}
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Series:
    """The occurrences of one recurring event."""

    def __init__(self, lines: tuple[str, ...], start: str, length: int, zone: str, all_day: bool) -> None:
        """`start`: wall time (ISO, naive) in `zone`; `length`: seconds, or days for all-day events."""
        self._length = length
        self._zone = zone
        self._all_day = all_day
        self._first = datetime.fromisoformat(start)
        self._rules = rruleset()
        for line in lines:
            self._add(line)

    def _add(self, line: str) -> None:
        matched = _LINE.fullmatch(line)
        if not matched:
            raise invalid("Invalid recurrence rule.")
        name, parameters, value = matched.groups()
        if name in ("RRULE", "EXRULE"):
            rule = self._rule(value)
            (self._rules.rrule if name == "RRULE" else self._rules.exrule)(rule)
            return
        for text in value.split(","):
            wall = self._wall(text, parameters)
            (self._rules.rdate if name == "RDATE" else self._rules.exdate)(wall)

    def _rule(self, value: str) -> Any:
        parts = dict(part.partition("=")[::2] for part in value.upper().split(";"))
        if not _is_sensible(parts):
            raise invalid("Invalid recurrence rule.")
        if "UNTIL" in parts:
            parts["UNTIL"] = self._until(parts["UNTIL"])
        try:
            return rrulestr(";".join(f"{k}={v}" for k, v in parts.items()), dtstart=self._first)
        except (ValueError, KeyError, TypeError):
            raise invalid("Invalid recurrence rule.") from None

    def _until(self, text: str) -> str:
        if re.fullmatch(r"\d{8}", text):
            return f"{text}T235959"
        return self._wall(text, "").strftime("%Y%m%dT%H%M%S")

    def _wall(self, text: str, parameters: str) -> datetime:
        zone = re.search(r"TZID=([^;]+)", parameters)
        source = "UTC" if text.endswith("Z") else zone.group(1) if zone else self._zone
        try:
            if re.fullmatch(r"\d{8}", text):
                return times.parse_stamp(f"{text}T{self._first:%H%M%S}")
            instant = times.instant_of(times.parse_stamp(text), source if times.is_zone(source) else "")
        except ValueError:
            raise invalid("Invalid recurrence rule.") from None
        return times.parse_stamp(text) if source == self._zone else times.wall_of(instant, self._zone)

    def between(self, low: int, high: int) -> list[tuple[int, int]]:
        """(start, end) in epoch seconds of the occurrences that overlap the open range low to high."""
        margin = timedelta(days=2) + self._longest
        found = self._rules.between(
            times.wall_of(low, self._zone) - margin,
            times.wall_of(high, self._zone) + timedelta(days=2),
            inc=True,
        )
        spans = [self._span(wall) for wall in found]
        return [(start, end) for start, end in spans if start < high and end > low]

    def has(self, start: int) -> bool:
        """True if an occurrence begins at these epoch seconds."""
        return any(begin == start for begin, _ in self.between(start - 1, start + 1))

    @property
    def _longest(self) -> timedelta:
        return timedelta(days=self._length) if self._all_day else timedelta(seconds=self._length)

    def _span(self, wall: datetime) -> tuple[int, int]:
        start = times.instant_of(wall, self._zone)
        if self._all_day:
            return start, times.instant_of(wall + timedelta(days=self._length), self._zone)
        return start, start + self._length


def _is_sensible(parts: dict[str, str]) -> bool:
    """False for rules that can't be, or that could never apply: those would be followed to the end of the calendar."""
    allowed = _PARTS.get(parts.get("FREQ", ""))
    interval = parts.get("INTERVAL", "1")
    if allowed is None or not parts.keys() <= allowed | _ALWAYS or {"COUNT", "UNTIL"} <= parts.keys():
        return False
    if not re.fullmatch(r"[1-9]\d{0,2}", interval):
        return False
    if parts["FREQ"] == "DAILY" and interval != "1" and allowed & parts.keys():
        return False
    months, days = _numbers(parts, "BYMONTH", 12), _numbers(parts, "BYMONTHDAY", 31)
    if months is None or days is None or min(months, default=1) < 1:
        return False
    return not days or any(
        abs(day) <= _LONGEST_MONTH[month - 1] for day in days for month in months or range(1, 13)
    )


def _numbers(parts: dict[str, str], name: str, most: int) -> list[int] | None:
    """The numbers of a part, none if it is missing; None if one of them is 0 or beyond `most`."""
    texts = parts[name].split(",") if name in parts else []
    if not all(re.fullmatch(r"-?[1-9]\d?", text) and abs(int(text)) <= most for text in texts):
        return None
    return [int(text) for text in texts]


@lru_cache(maxsize=512)
def _series(lines: tuple[str, ...], start: str, length: int, zone: str, all_day: bool) -> Series:
    return Series(lines, start, length, zone, all_day)


def series_of(body: dict[str, Any], calendar_zone: str) -> Series:
    """The series that an event with `recurrence` describes. Raises GoogleError 400 if the rules make no sense."""
    lines, start, end = tuple(body["recurrence"]), body["start"], body["end"]
    if "date" in start:
        first, last = datetime.fromisoformat(start["date"]), datetime.fromisoformat(end["date"])
        return _series(lines, first.isoformat(), (last - first).days, calendar_zone, True)
    zone = start.get("timeZone") or calendar_zone
    begin = times.parse_instant(start["dateTime"])
    length = times.parse_instant(end["dateTime"]) - begin
    return _series(lines, times.wall_of(begin, zone).isoformat(), length, zone, False)
