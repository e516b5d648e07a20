"""What lists of people and entries share: their state in the address, and a note where it names what isn't there."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from app.core.paging import Turning, page_number, pages

__all__ = ["NO_SUCH", "href", "page_number", "pagination"]

NO_SUCH = "There is no such {}, so this is the first page."


def href(path: str, values: Mapping[str, str]) -> str:
    """`path` with those values that say something."""
    said = {name: value for name, value in values.items() if value}
    return f"{path}?{urlencode(said)}" if said else path


def pagination(
    path: str, values: Mapping[str, str], number: int, total: int, per_page: int
) -> Turning | None:
    """The context of ui/pages.html, for a list whose address holds `values`."""

    def to(page: int) -> str:
        return href(path, {**values, "page": str(page) if page > 1 else ""})

    return pages(to, number, total, per_page)
