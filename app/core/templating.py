"""Jinja: the environment, and how instants, money and names are shown."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar

from jinja2 import BytecodeCache, Environment, FileSystemLoader, nodes, select_autoescape
from jinja2.bccache import Bucket
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]
from whenever import Instant, ZonedDateTime

from app.core import clock
from app.core.money import format_money
from app.settings import Settings

ROOT = Path(__file__).parent.parent.parent
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _zoned(instant: datetime, zone: str) -> ZonedDateTime:
    return Instant(instant).to_tz(zone)


def time_in(instant: datetime, zone: str) -> str:
    """`14:30`, wall time in `zone`."""
    local = _zoned(instant, zone)
    return f"{local.hour:02}:{local.minute:02}"


def day_in(instant: datetime, zone: str) -> str:
    """`Tue 24 Nov 2026`, the local date in `zone`."""
    date = _zoned(instant, zone).date()
    return f"{_DAYS[date.day_of_week().value - 1]} {date.day} {_MONTHS[date.month - 1]} {date.year}"


def stamp(instant: datetime, zone: str) -> str:
    """`Tue 24 Nov 2026, 14:30 (Europe/Lisbon)`: never a time without its zone."""
    return f"{day_in(instant, zone)}, {time_in(instant, zone)} ({zone})"


def zone_aside(zone: str) -> str:
    """` (Europe/Lisbon)`, behind times that a text shows without their zone."""
    return f" ({zone})"


def iso(instant: datetime) -> str:
    """RFC 3339 in UTC with seconds: `2026-11-24T14:30:00Z`."""
    return instant.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def relative(instant: datetime) -> str:
    """`in 3 hours`, `2 days ago`, `now`, in business time."""
    seconds = (instant - clock.now()).total_seconds()
    for unit, size in _UNITS:
        count = round(abs(seconds) / size)
        if abs(seconds) >= size:
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "now"


def near_day(instant: datetime, zone: str) -> str:
    """`today` or `tomorrow` by the dates in `zone`, in business time; empty for other days."""
    days = (_zoned(instant, zone).date().to_stdlib() - _zoned(clock.now(), zone).date().to_stdlib()).days
    return {0: "today", 1: "tomorrow"}.get(days, "")


def initials(name: str) -> str:
    """The first letters of the first and last word of a name."""
    words = name.split()
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else "?"


def hue(name: str) -> str:
    """One of the classes `hue-1` to `hue-12`, the same for the same name."""
    return f"hue-{zlib.crc32(name.encode()) % 12 + 1}"


class Assets:
    """Fingerprinted addresses of the files below static/, so that they can be cached for a year."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[int, str]] = {}

    def __call__(self, path: str) -> str:
        """`/static/css/app.css?v=<hash of the content>`. Raises FileNotFoundError for a file that isn't there."""
        file = self._root / path
        changed = file.stat().st_mtime_ns
        known = self._known.get(path)
        if known is None or known[0] != changed:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
            known = self._known[path] = (changed, f"/static/{path}?v={digest}")
        return known[1]


def quick_escape(value: object) -> str:
    """`value` escaped for HTML, as a piece of a page that will only be joined to others.

    MarkupSafe's own makes an object of every piece, which takes nine tenths of its time.
    """
    if type(value) is str:
        return _escape_inner(value)
    if type(value) is Markup:
        return value
    return escape(value)


@lru_cache(maxsize=8192)
def kept(macro: Callable[..., str], *values: object) -> str:
    """What `macro` makes of `values`, remembered: for small pieces that many pages show many times.

    Only for values that say everything by being equal, and no secret of a request or a person.
    """
    return macro(*values)


class QuickEnvironment(Environment):
    """Jinja, tuned for pages of many small pieces."""

    escape = staticmethod(quick_escape)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """A plain dict of the globals as they are now: every import of a macro searches them, slowly in a ChainMap."""
        return {**self.globals, **(d or {})}

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        """The hook for other ways to make code of templates: ours escapes by the environment's `escape`."""
        code = super()._generate(source, name, filename, defer_init)
        return code.replace("\n", "; escape = environment.escape\n", 1)


E = TypeVar("E", bound=QuickEnvironment)


class Compiled(BytecodeCache):
    """The code of templates, made once in a process however many environments it has: one for pages, one for mails.

    Jinja looks it up by name and file, and takes it only while the source is the same.
    """

    def __init__(self) -> None:
        self._code: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket with what is known for its template as it is now."""
        checksum, code = self._code.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        if bucket.code is not None:
            self._code[bucket.key] = (bucket.checksum, bucket.code)


_COMPILED = Compiled()


def environment(settings: Settings) -> Environment:
    """The environment that pages and mails are rendered in; autoescaping is on for HTML."""
    return environment_of(QuickEnvironment, settings)


def environment_of(made: type[E], settings: Settings) -> E:
    """As `environment`, of a class of its own."""
    jinja = made(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=select_autoescape(("html", "svg"), default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=settings.environment == "development",
        cache_size=-1,
        bytecode_cache=_COMPILED,
    )
    filters: dict[str, Any] = {
        "time_in": time_in,
        "day_in": day_in,
        "stamp": stamp,
        "zone_aside": zone_aside,
        "iso": iso,
        "relative": relative,
        "near_day": near_day,
        "money": format_money,
        "initials": initials,
        "hue": hue,
    }
    jinja.filters.update(filters)
    jinja.globals.update(
        asset=Assets(ROOT / "static"), brand=settings.brand_name, kept=kept, public_url=settings.public_url
    )
    return jinja
