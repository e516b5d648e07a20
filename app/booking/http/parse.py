"""What comes in by address or form, as values. Whatever can't be read is a BadRequest that names the reason."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from whenever import Date, OffsetDateTime, YearMonth

from app.booking.idempotency import Idempotency
from app.calendars.google import Google
from app.core.db import Database
from app.core.errors import BadRequest
from app.core.ids import quoted
from app.core.web import AppRequest
from app.settings import Settings

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2100
MAX_KEY: Final = 200
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


def instant(text: str, name: str = "start") -> datetime:
    """The instant that `text` names in RFC 3339, as UTC."""
    problem = BadRequest(
        f"{name}: {quoted(text)} is not an instant in RFC 3339, such as 2026-11-24T14:30:00Z. Nothing was changed."
    )
    if not _RFC3339.fullmatch(text):
        raise problem
    try:
        found = OffsetDateTime.parse_iso(text.upper().replace(" ", "T").replace("Z", "+00:00"))
        parsed = found.to_instant().to_stdlib().astimezone(UTC)
    except (ValueError, OverflowError):
        raise problem from None
    if not FIRST_YEAR <= parsed.year <= LAST_YEAR:
        raise BadRequest(f"{name}: the year {parsed.year} is out of range. Nothing was changed.")
    return parsed


def date(text: str) -> Date:
    """The date that `text` spells as YYYY-MM-DD."""
    try:
        found = Date.parse_iso(text)
    except ValueError:
        found = None
    if found is None or len(text) != 10 or not FIRST_YEAR < found.year < LAST_YEAR:
        raise BadRequest(f"day: {quoted(text)} is not a date such as 2026-11-24.")
    return found


def month(text: str) -> YearMonth:
    """The month that `text` spells as YYYY-MM."""
    try:
        found = YearMonth.parse_iso(text)
    except ValueError:
        found = None
    if found is None or len(text) != 7 or not FIRST_YEAR < found.year < LAST_YEAR:
        raise BadRequest(f"month: {quoted(text)} is not a month such as 2026-11.")
    return found


def idempotency(route: str, key: str | None) -> Idempotency | None:
    """The asker's key; none is fine."""
    if not key:
        return None
    if not _KEY.fullmatch(key):
        raise BadRequest(f"An idempotency key has 1 to {MAX_KEY} printable characters without spaces.")
    return Idempotency(route, key)


def settings_of(request: AppRequest) -> Settings:
    """The platform's settings."""
    settings: Settings = request.app.state.platform.settings
    return settings


def outside(request: AppRequest) -> tuple[Database, Google]:
    """What a booking needs besides the unit of work: the database for others' transactions, and Google."""
    platform = request.app.state.platform
    return platform.database, platform.google
