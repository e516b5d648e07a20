"""What menus and buttons remember: all of it lies in their `custom_id`, so that they work whoever reads it, and when.

`book.time:0190…:2026-11-24`: whose it is, then its words. Anybody can send any of them: nothing here is trusted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from whenever import Date

from app.core.errors import BadRequest

LONGEST: Final = 100
STALE: Final = "That menu is no longer good. Please type the command again."


def write(action: str, *words: object) -> str:
    """The `custom_id` of an action with its words. Raises ValueError for more than Discord takes."""
    parts = [action, *(word.hex if isinstance(word, UUID) else str(word) for word in words)]
    written = ":".join(parts)
    if len(written) > LONGEST or any(":" in part for part in parts):
        raise ValueError(f"{written!r} is no custom id")
    return written


def read(custom_id: str) -> tuple[str, list[str]]:
    """The action and its words."""
    action, *words = custom_id.split(":")
    return action, words


def id_of(word: str) -> UUID:
    """An id. Raises BadRequest."""
    try:
        return UUID(hex=word)
    except ValueError:
        raise BadRequest(STALE) from None


def number_of(word: str) -> int:
    """A number of up to ten digits. Raises BadRequest."""
    if not (word.isascii() and word.isdecimal() and len(word) <= 10):
        raise BadRequest(STALE)
    return int(word)


def instant_of(word: str) -> datetime:
    """An instant (UTC) from epoch seconds. Raises BadRequest."""
    return datetime.fromtimestamp(number_of(word), UTC)


def date_of(word: str) -> Date:
    """A date such as 2026-11-24. Raises BadRequest."""
    try:
        found = Date.parse_iso(word)
    except ValueError:
        raise BadRequest(STALE) from None
    if not 1970 < found.year < 2100:
        raise BadRequest(STALE)
    return found
