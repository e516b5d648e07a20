"""When the door of a session's video room is open: from a little before the start until a while after the end.

Pure; source of the rule: "Video" of the domain. Instants are aware UTC datetimes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

BEFORE: Final = timedelta(minutes=15)
AFTER: Final = timedelta(minutes=30)


class Door(StrEnum):
    """Whether people come in."""

    EARLY = "early"
    OPEN = "open"
    SHUT = "shut"


def opens_at(start: datetime) -> datetime:
    """The first instant at which people come in."""
    return start - BEFORE


def closes_at(end: datetime) -> datetime:
    """The first instant at which nobody comes in any more, and whoever is inside is seen out."""
    return end + AFTER


def state(start: datetime, end: datetime, now: datetime) -> Door:
    """The door at `now` of a session from `start` to `end`: open in [opens_at, closes_at)."""
    if now < opens_at(start):
        return Door.EARLY
    return Door.OPEN if now < closes_at(end) else Door.SHUT
