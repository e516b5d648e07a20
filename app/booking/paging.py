"""Lists in pages: links to the pages before and after."""

from __future__ import annotations

from typing import Final

PER_PAGE: Final = 20


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
