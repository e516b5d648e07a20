"""How a named day on which clocks do something is written down.

Times are wall times with the offset then in force, so both what a clock shows and which instant it is can
be read off: `2026-03-08 01:00-05:00 03:00-04:00` are two instants of one date, an hour apart.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

Intervals = tuple[tuple[int, int], ...]


class Setting(NamedTuple):
    """Hours by ISO weekday, or none with a connected calendar; length and step in minutes."""

    hours: Mapping[int, Intervals] | None
    length: int
    step: int


class Case(NamedTuple):
    """What must be offered in the window, no more and no less. No notice, no buffers."""

    name: str
    zone: str
    setting: Setting
    window: str
    offered: str
    overrides: Mapping[date, Intervals] = {}

    @property
    def starts(self) -> list[int]:
        return instants(self.offered)


def instants(text: str) -> list[int]:
    """Epoch seconds of `date time time date time …`: a time belongs to the date before it."""
    found, day = [], ""
    for word in text.split():
        if ":" in word:
            found.append(int(datetime.fromisoformat(f"{day}T{word}").timestamp()))
        else:
            day = word
    return found


def clock(text: str) -> Intervals:
    """`09:00-12:00 13:30-18:00` as wall intervals in minutes."""
    pairs = [part.split("-") for part in text.split()]
    return tuple((_minutes(start), _minutes(end)) for start, end in pairs)


def daily(text: str) -> Mapping[int, Intervals]:
    return dict.fromkeys(range(1, 8), clock(text))


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
