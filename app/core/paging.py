"""Lists in pages: the links to the pages before and after, and which entries of how many are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

Turning = dict[str, str | None]
"""The context of ui/pages.html: previous href | None, next href | None, label."""

PER_PAGE: Final = 20
"""Of lists that say nothing else."""
NO_PAGE: Final = "There is no such page, so this is the first page."


def page_number(text: str) -> int | None:
    """The page that an address names; 1 where it names none, None for what is no page."""
    if not text:
        return 1
    is_number = text.isascii() and text.isdecimal() and len(text) <= 6
    return int(text) if is_number and 0 < int(text) <= 10_000 else None


def pages(href: Callable[[int], str], number: int, total: int, per_page: int) -> Turning | None:
    """For a list of `total` entries of which page `number` is shown; None if they all fit on one page."""
    if total <= per_page:
        return None
    first, last = (number - 1) * per_page + 1, min(number * per_page, total)
    return {
        "previous": href(number - 1) if number > 1 else None,
        "next": href(number + 1) if last < total else None,
        "label": f"{first}–{last} of {total}",
    }


def turning(href: Callable[[int], str], number: int, found: int, per_page: int = PER_PAGE) -> Turning | None:
    """As `pages` for a list that nobody counts: `found` is what was read, one more than fits where a page follows."""
    first, last = (number - 1) * per_page + 1, (number - 1) * per_page + min(found, per_page)
    if number == 1 and found <= per_page:
        return None
    return {
        "previous": href(number - 1) if number > 1 else None,
        "next": href(number + 1) if found > per_page else None,
        "label": f"{first}–{last}" if last >= first else "No more",
    }
