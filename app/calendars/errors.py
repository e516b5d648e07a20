"""What Google may answer instead of what was asked for.

Web and jobs turn these into states, sentences and retries.
"""

from __future__ import annotations


class GoogleError(Exception):
    """A call to Google that did not do what it should."""


class GoogleUnavailable(GoogleError):
    """Slow, down, over quota or unreachable: nothing is known, trying again later may help."""


class GrantRevoked(GoogleError):
    """The mentor, or Google, withdrew what was allowed: only a new consent helps."""


class NotConnected(GoogleError):
    """The mentor has no Google Calendar connected."""


class CalendarGone(GoogleError):
    """The chosen calendar was deleted or is no longer shared with the account."""


class SyncTokenExpired(GoogleError):
    """Changes since that token can't be told any more: list everything."""


class EventExists(GoogleError):
    """An event with this id is there already, or was and is deleted: ids are never free again."""


class EventGone(GoogleError):
    """There is no such event, or no more."""


class EventChanged(GoogleError):
    """Somebody changed the event since it was read."""


class GoogleRefused(GoogleError):
    """Google understood and says no, for a reason that is ours to repair; `status` and `reason` are its own."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason


class Overtaken(GoogleError):
    """Others changed the mirror each time while Google was being read."""
