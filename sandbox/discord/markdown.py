"""Discord's markdown as HTML, as far as a bot's messages use it; everything else is shown as it was written."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from markupsafe import Markup, escape

Named = Callable[[str, str], str]
STYLES = {
    "t": "%H:%M",
    "T": "%H:%M:%S",
    "d": "%d/%m/%Y",
    "D": "%d %B %Y",
    "f": "%d %B %Y %H:%M",
    "F": "%A, %d %B %Y %H:%M",
    "s": "%d/%m/%Y %H:%M",
    "S": "%d/%m/%Y %H:%M:%S",
}
_STEPS = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3600), ("minute", 60))
_INLINE = re.compile(
    r"\\(?P<plain>[^\sA-Za-z0-9])"
    r"|``(?P<code2>.+?)``|`(?P<code>[^`]+)`"
    r"|<t:(?P<time>-?\d{1,13})(?::(?P<style>[tTdDfFsSR]))?>"
    r"|<(?P<kind>@!|@&|@|\#)(?P<id>\d+)>"
    r"|</(?P<command>[-_' \w]{1,100}):\d+>"
    r"|\[(?P<label>[^\]\n]+)\]\(<?(?P<link>https?://[^\s)>]+)>?\)"
    r"|<(?P<bare>https?://[^\s>]+)>|(?P<url>https?://[^\s<]*[^\s<.,:;!?)\]'\"*])"
    r"|\*\*\*(?P<both>.+?)\*\*\*|\*\*(?P<bold>.+?)\*\*|__(?P<under>.+?)__|~~(?P<gone>.+?)~~|\|\|(?P<hidden>.+?)\|\|"
    r"|\*(?P<slant>[^\s*](?:.*?[^\s*])?)\*|(?<!\w)_(?P<slant2>[^\s_](?:.*?[^\s_])?)_(?!\w)",
    re.DOTALL,
)
_WRAPPED = {
    "both": Markup("<strong><em>{0}</em></strong>"),
    "bold": Markup("<strong>{0}</strong>"),
    "under": Markup("<u>{0}</u>"),
    "gone": Markup("<s>{0}</s>"),
    "hidden": Markup("<span>{0}</span>"),
    "slant": Markup("<em>{0}</em>"),
    "slant2": Markup("<em>{0}</em>"),
}
_LINES = (
    (re.compile(r"#{1,3} +(.+)"), "heading"),
    (re.compile(r"-# +(.+)"), "small"),
    (re.compile(r"(?:>>>|>) (.*)"), "quote"),
    (re.compile(r"\s*[-*] +(.+)"), "item"),
)
_BLOCKS = {
    "heading": Markup('<strong class="heading">{0}</strong>'),
    "small": Markup("<small>{0}</small>"),
    "quote": Markup("<q>{0}</q>"),
    "item": Markup("• {0}"),
}


def rendered(text: str, named: Named, now: datetime) -> Markup:
    """A message's text. `named(kind, id)` names what "@", "@&" and "#" mention; `now` is what relative times are told from."""
    return Markup("<br>").join(_line(line, named, now) for line in text.split("\n"))


def _line(line: str, named: Named, now: datetime) -> Markup:
    for pattern, kind in _LINES:
        found = pattern.fullmatch(line)
        if found:
            return _BLOCKS[kind].format(_inline(found[1], named, now))
    return _inline(line, named, now)


def _inline(text: str, named: Named, now: datetime) -> Markup:
    parts, at = [], 0
    for found in _INLINE.finditer(text):
        parts += [escape(text[at : found.start()]), _piece(found, named, now)]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


def _piece(found: re.Match[str], named: Named, now: datetime) -> Markup:
    given = {name: value for name, value in found.groupdict().items() if value is not None}
    if "plain" in given:
        return escape(given["plain"])
    if "time" in given:
        return moment(int(given["time"]), given.get("style", "f"), now)
    if "kind" in given:
        sign = "#" if given["kind"] == "#" else "@"
        name = sign + named(given["kind"].rstrip("!"), given["id"])
        return Markup('<span class="mention">{0}</span>').format(name)
    if "command" in given:
        return Markup('<span class="mention">/{0}</span>').format(given["command"])
    if "label" in given:
        label = _inline(given["label"], named, now)
        return Markup('<a href="{0}">{1}</a>').format(given["link"], label)
    address = given.get("bare") or given.get("url")
    if address:
        return Markup('<a href="{0}">{0}</a>').format(address)
    code = given.get("code2") or given.get("code")
    if code:
        return Markup("<code>{0}</code>").format(code)
    name, inside = next(iter(given.items()))
    return _WRAPPED[name].format(_inline(inside, named, now))


def moment(seconds: int, style: str, now: datetime) -> Markup:
    """A `<t:…>` time, in UTC; style R is told from `now`. One that no calendar holds is shown as it was written."""
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return escape(f"<t:{seconds}:{style}>")
    whole = f"{at:%A, %d %B %Y %H:%M} UTC"
    shown = distance(at, now) if style == "R" else f"{at.strftime(STYLES[style])} UTC"
    return Markup('<time datetime="{0}" title="{1}">{2}</time>').format(at.isoformat(), whole, shown)


def distance(at: datetime, now: datetime) -> str:
    """How far an instant lies from another, in the largest unit that fits: "in 3 hours", "2 days ago"."""
    seconds = (at - now).total_seconds()
    for unit, size in _STEPS:
        count = round(abs(seconds) / size)
        if abs(seconds) >= size:
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "now"
