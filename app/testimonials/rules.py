"""What a testimonial may say, counted the way people count. Pure."""

from __future__ import annotations

from typing import Final

FEWEST: Final = 50
MOST: Final = 1000


def problem(body: str) -> str | None:
    """What is wrong with words tidied by `core.text`: each code point counts once, as it does for the database."""
    if not body:
        return "Please write a few words first."
    if len(body) < FEWEST:
        return f"A little more, please: at least {FEWEST} characters; these are {len(body)}."
    if len(body) > MOST:
        return f"Keep it within {MOST:,} characters; these are {len(body):,}."
    return None
