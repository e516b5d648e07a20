"""The time zones that people may choose."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache

from whenever import Date, Time, available_timezones

_NOT_A_ZONE = {"Factory", "localtime", "posixrules"}
_REGIONS = {
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
}


@cache
def known_zones() -> frozenset[str]:
    """Every name of the IANA database, old aliases included: browsers still report some of them."""
    return frozenset(available_timezones() - _NOT_A_ZONE)


@cache
def zone_choices() -> tuple[str, ...]:
    """The zones that a form offers, sorted: places by region, and UTC; no bare offsets, no countries' old aliases."""
    return tuple(sorted(name for name in known_zones() if name == "UTC" or name.split("/")[0] in _REGIONS))


def is_zone(name: str) -> bool:
    """True if `name` is a time zone of the IANA database, spelled exactly so."""
    return name in known_zones()


def end_of_day(day: date, zone: str) -> datetime:
    """The last second of the date in the zone, as an aware UTC datetime: a second before the next one begins."""
    tomorrow = Date(day.year, day.month, day.day).add(days=1)
    begins = tomorrow.at(Time.MIDNIGHT).assume_tz(zone, disambiguation="compatible")
    return datetime.fromtimestamp(begins.timestamp() - 1, UTC)
