"""Text for Discord: what people typed made harmless, instants shown in the reader's own zone, at most so long. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

# How long a message's content may be.
LONGEST: Final = 2000
_INLINE = re.compile(r"[\\*_~`|<>\[\]#:@]")
_LIST = re.compile(r"^(\s*)(?:([-+])|(\d+)(\.))(?=\s|$)", re.MULTILINE)
_CALL = re.compile(r"@(?=everyone|here)")
_ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")
_LINK = re.compile(r"[A-Za-z0-9._~/?#=&%+:-]*")
_UNSEEN = "\u200b"
_CUT_SHORT = "\\ \n"  # a backslash that has lost what it escapes, and gaps


def escape(text: str) -> str:
    """`text` so that Discord shows it as it is: no formatting, links, emoji, timestamps; it mentions nobody."""
    calm = _LIST.sub(_no_list, _INLINE.sub(r"\\\g<0>", text))
    return _CALL.sub(f"@{_UNSEEN}", calm)


def _no_list(start: re.Match[str]) -> str:
    return f"{start[1]}\\{start[2]}" if start[2] else f"{start[1]}{start[3]}\\{start[4]}"


def plain(text: str) -> str:
    """What a reader sees of a text in which `escape` was at work: for labels, which know no formatting."""
    return _ESCAPED.sub(r"\1", text).replace(_UNSEEN, "")


def is_our_link(text: str, public_url: str) -> bool:
    """True for an address of one of our own pages: it stays as it is, to be followed."""
    home = public_url.rstrip("/")
    return (text == home or text.startswith(f"{home}/")) and _LINK.fullmatch(text) is not None


def timestamp(instant: datetime, style: str) -> str:
    """`instant` as Discord shows it in each reader's zone and language: `F` day and time, `D` the day, `t` the time."""
    return f"<t:{int(instant.timestamp())}:{style}>"


def length(text: str) -> int:
    """How long Discord may count a text at most: in units of UTF-16."""
    return len(text.encode("utf-16-le")) // 2


def shorten(text: str, longest: int = LONGEST) -> str:
    """`text` with at most `longest` units; where words had to go it ends with an ellipsis."""
    if length(text) <= longest:
        return text
    kept = text.encode("utf-16-le")[: (longest - 2) * 2].decode("utf-16-le", errors="ignore")
    whole_words = re.sub(r"\s+\S*$", "", kept)
    return f"{(whole_words or kept).rstrip(_CUT_SHORT)} …"
