"""What a testimonial may say: tidied, and counted the way people count. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

FEWEST: Final = 50
MOST: Final = 1000
# Besides white space: what takes no room at the edges of a text, and nobody sees.
_UNSEEN: Final = "\u200b\u200c\u200d\u2060\ufeff"


def tidy(text: str) -> str:
    """The words as they are kept: line ends one character each, what nobody can see dropped, the edges trimmed."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in lines if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    return _trimmed(kept)


def problem(body: str) -> str | None:
    """What is wrong with tidy words: each code point counts once, as it does for the database."""
    if not body:
        return "Please write a few words first."
    if len(body) < FEWEST:
        return f"A little more, please: at least {FEWEST} characters; these are {len(body)}."
    if len(body) > MOST:
        return f"Keep it within {MOST:,} characters; these are {len(body):,}."
    return None


def _trimmed(text: str) -> str:
    """Without white space and unseen characters at both ends, in whatever order they stand there."""
    while (shorter := text.strip().strip(_UNSEEN)) != text:
        text = shorter
    return text
