"""What lists of people and entries share: their state in the address, and a note where it names what isn't there."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from app.core.paging import Turning, pages

NO_SUCH = "There is no such {}, so this is the first page."


def href(path: str, values: Mapping[str, str]) -> str:
    """`path` with those values that say something."""
    said = {name: value for name, value in values.items() if value}
    return f"{path}?{urlencode(said)}" if said else path


def page_number(text: str) -> int | None:
    """The page that an address names; 1 where it names none, None for what is no page."""
    if not text:
        return 1
    is_number = text.isascii() and text.isdecimal() and len(text) <= 6
    return int(text) if is_number and 0 < int(text) <= 10_000 else None


def pagination(
    path: str, values: Mapping[str, str], number: int, total: int, per_page: int
) -> Turning | None:
    """The context of ui/pages.html, for a list whose address holds `values`."""

    def to(page: int) -> str:
        return href(path, {**values, "page": str(page) if page > 1 else ""})

    return pages(to, number, total, per_page)
