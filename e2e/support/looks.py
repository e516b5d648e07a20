"""How a page looks in both themes, on a desk and on a phone: accessible, not wider than the window, kept as a picture."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from playwright.async_api import Page

from e2e.support.browser import DESK, HEIGHTS, PHONE, Theme, Windows
from e2e.support.platform import PROJECT

SHOTS = PROJECT / ".data" / "screenshots"
# Colours depend on the theme alone, the arrangement on the width alone: both are checked whole once in each, and for
# the other two pairings what only that width shows is checked for its colours.
SHOWINGS: tuple[tuple[Theme, int, bool], ...] = (
    ("light", DESK, True),
    ("light", PHONE, False),
    ("dark", PHONE, True),
    ("dark", DESK, False),
)


async def look(windows: Windows, page: Page, name: str = "") -> None:
    """The page as it is shown now; `name` is its picture's (its path where none is given). The window is as wide afterwards as it was."""
    before, name = page.viewport_size, name or urlsplit(page.url).path
    found: list[str] = []
    for theme, width, everything in SHOWINGS:
        await page.emulate_media(color_scheme=theme)
        await page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        await windows.note_shown(page)
        check = windows.axe if everything else windows.contrast_of_others
        found += [f"{theme} {width}: {problem}" for problem in await check(page)]
        wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wider > 0:
            found.append(f"{theme} {width}: {wider} px too wide")
        await shoot(page, f"{name}-{width}-{theme}")
    if before:
        await page.set_viewport_size(before)
    assert found == [], name


async def shoot(page: Page, name: str) -> None:
    """Keep a picture to look at, under .data/screenshots, if SCREENSHOTS is set."""
    if os.environ.get("SCREENSHOTS"):
        SHOTS.mkdir(parents=True, exist_ok=True)
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        await page.screenshot(path=SHOTS / f"{plain}.png", full_page=True)
