"""Lists in pages: links to the pages before and after."""

from __future__ import annotations

from typing import Final

PER_PAGE: Final = 20
NO_PAGE: Final = "That address names a page that isn’t there; this is the first one."


def page_number(text: str) -> int | None:
    """The page that an address names; None for what is no page at all."""
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        return None
    return int(text) or None


def turning(href: str, number: int, found: int) -> dict[str, str | None] | None:
    """The context of ui/pages.html, None for a list of one page.

    `href` has `{}` for a page's number; `found` is what was read of the page, one more than fits where another follows.
    """
    first, last = (number - 1) * PER_PAGE + 1, (number - 1) * PER_PAGE + min(found, PER_PAGE)
    if number == 1 and found <= PER_PAGE:
        return None
    return {
        "previous": href.format(number - 1) if number > 1 else None,
        "next": href.format(number + 1) if found > PER_PAGE else None,
        "label": f"{first}–{last}" if last >= first else "No more",
    }
