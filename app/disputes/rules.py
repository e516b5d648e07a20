"""What a dispute and its answer may say, and when there is one to decide. Pure."""

from __future__ import annotations

from typing import Final

FEWEST: Final = 10
MOST: Final = 1000
EMPTY: Final = "Please write a sentence or two first."


def problem(words: str) -> str | None:
    """What is wrong with words tidied by `core.text`: each code point counts once, as it does for the database."""
    if not words:
        return EMPTY
    if len(words) < FEWEST:
        return f"A little more, please: at least {FEWEST} characters; these are {len(words)}."
    if len(words) > MOST:
        return f"Keep it within {MOST:,} characters; these are {len(words):,}."
    return None
