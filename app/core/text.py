"""Texts of several lines as people type them, made fit to keep and to count. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

# Besides white space: what takes no room at the edges of a text, and nobody sees.
_UNSEEN: Final = "\u200b\u200c\u200d\u2060\ufeff"


def tidy_lines(text: str) -> str:
    """The text as it is kept: composed (NFC), line ends one character each, control characters dropped, trimmed.

    Its length in code points is what the database counts, and but for joined emoji what people do.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in lines if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    return _trimmed(unicodedata.normalize("NFC", kept))


def _trimmed(text: str) -> str:
    """Without white space and unseen characters at both ends, in whatever order they stand there."""
    while (shorter := text.strip().strip(_UNSEEN)) != text:
        text = shorter
    return text
