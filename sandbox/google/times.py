"""Google's times: RFC 3339 text on the wire, epoch seconds inside, wall time only with a zone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from whenever import Date, Instant, PlainDateTime, TimeZoneNotFoundError

_WITH_OFFSET = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_WITHOUT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?")

# What calendars are asked about lies between 1900 and 2200; further out, zones and dates run into their ends.
EARLIEST, LATEST = -2_208_988_800, 7_258_118_400


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """True if `name` is a zone of the IANA database."""
    try:
        Instant.from_timestamp(0).to_tz(name)
    except (TimeZoneNotFoundError, ValueError):
        return False
    return True


def has_offset(text: str) -> bool:
    """True for RFC 3339 text that carries its offset."""
    return _WITH_OFFSET.fullmatch(text) is not None


def parse_instant(text: str) -> int:
    """Epoch seconds of RFC 3339 text with an offset; fractions are cut off. Raises ValueError."""
    if not has_offset(text):
        raise ValueError(f"{text!r} is not RFC 3339 with an offset")
    return _in_reach(Instant.parse_iso(text.upper()).timestamp())


def parse_wall(text: str) -> datetime:
    """The naive wall time of RFC 3339 text without an offset. Raises ValueError."""
    if not _WITHOUT.fullmatch(text):
        raise ValueError(f"{text!r} is not a wall time")
    return PlainDateTime.parse_iso(text.upper()).to_stdlib()


def parse_stamp(text: str) -> datetime:
    """The naive wall time of an iCalendar stamp: 20261201T090000, a closing Z ignored. Raises ValueError."""
    digits = re.fullmatch(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z?", text)
    if not digits:
        raise ValueError(f"{text!r} is not a stamp")
    year, month, day, hour, minute, second = (int(part) for part in digits.groups())
    return PlainDateTime(year, month, day, hour, minute, second).to_stdlib()


def instant_of(wall: datetime, zone: str) -> int:
    """Epoch seconds of a naive wall time; one that doesn't exist moves later, of two the first is meant.

    Raises ValueError before 1900 and after 2200, as everything that reads times here.
    """
    return _in_reach(PlainDateTime(wall).assume_tz(zone, disambiguation="compatible").timestamp())


def _in_reach(instant: int) -> int:
    if not EARLIEST <= instant <= LATEST:
        raise ValueError(f"{instant} is before 1900 or after 2200")
    return instant


def wall_of(instant: int, zone: str) -> datetime:
    """The naive wall time of epoch seconds in a zone."""
    return Instant.from_timestamp(instant).to_tz(zone).to_plain().to_stdlib()


def day_start(day: str, zone: str) -> int:
    """Epoch seconds at which a date ("2026-12-01") begins in a zone. Raises ValueError."""
    return instant_of(parse_wall(f"{Date.parse_iso(day).format_iso()}T00:00:00"), zone)


def day_of(instant: int, zone: str) -> str:
    """The date on which epoch seconds fall in a zone."""
    return wall_of(instant, zone).date().isoformat()


def next_day(day: str, days: int = 1) -> str:
    """The date so many days later."""
    return (datetime.fromisoformat(day) + timedelta(days=days)).date().isoformat()


def text_of(instant: int, zone: str) -> str:
    """RFC 3339 text of epoch seconds in a zone, UTC as "Z"."""
    text = Instant.from_timestamp(instant).to_tz(zone).to_fixed_offset().format_iso()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def stamp_of(instant: int) -> str:
    """The UTC stamp that names an instance of a series: 20261201T090000Z."""
    return text_of(instant, "UTC").replace("-", "").replace(":", "")


def begins(value: dict[str, Any], zone: str) -> int:
    """Epoch seconds of a stored event's `start` or `end`; `zone` is the calendar's, for all-day events."""
    return day_start(value["date"], zone) if "date" in value else parse_instant(value["dateTime"])
