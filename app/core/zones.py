"""The time zones that people may choose."""

from __future__ import annotations

from functools import cache

from whenever import available_timezones

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
