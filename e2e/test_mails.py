"""Every mail as people get it: readable in light and dark, no wider than a phone, and whole in plain text, too."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from app.core import clock
from app.core.ids import new_id
from app.dev import browser_files
from app.notifications.catalogue import CATALOGUE
from app.notifications.mailer import Mailer
from app.settings import Settings
from e2e.conftest import DATA
from e2e.support.browser import PHONE, WCAG, Theme, Windows
from e2e.support.looks import shoot
from tests.notifications.examples import OPTIONAL, REQUIRED, START

HOME = "http://127.0.0.1:8000"
# Everything in one theme; in the other what depends on it.
THEMES: tuple[tuple[Theme, Sequence[str]], ...] = (("light", WCAG), ("dark", ("cat.color",)))
WIDTHS = (320, PHONE, 680)
READER = new_id()


@pytest.fixture(scope="session")
def mailer() -> Mailer:
    """Writes mails, sends none."""
    return Mailer.of(Settings(secret_key="for these mails alone", public_url=HOME))


@pytest_asyncio.fixture(loop_scope="session")
async def inbox(browser: Browser) -> AsyncIterator[tuple[Windows, Page]]:
    """A window that shows mails; it asks nobody for anything."""
    windows = Windows(browser, HOME, browser_files.ensure_for_tests(DATA) / "axe.min.js")
    page = await windows.open(width=PHONE)
    yield windows, page
    await windows.close()
    assert windows.complaints.found == []


def written(mailer: Mailer, kind: str) -> list[dict[str, Any]]:
    """The mails of a kind, as Resend gets them."""
    contexts = [REQUIRED[kind] | more for more in ({}, *OPTIONAL.get(kind, []))]
    with clock.standing_at(START.replace(day=START.day - 3)):
        return [mailer.compose(kind, "ana@example.test", context, READER) for context in contexts]


@pytest.mark.parametrize("kind", CATALOGUE)
async def test_a_mail_looks_right(inbox: tuple[Windows, Page], mailer: Mailer, kind: str) -> None:
    windows, page = inbox
    found: list[str] = []
    for number, mail in enumerate(written(mailer, kind), 1):
        await page.set_content(mail["html"])
        for theme, tags in THEMES:
            await page.emulate_media(color_scheme=theme)
            found += [f"{number} {theme}: {problem}" for problem in await windows.axe(page, tags)]
            await shoot(page, f"mail-{kind}-{number}-{theme}")
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 780})
            wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found += [f"{number}: {wider} px wider than {width}"] if wider > 0 else []
        assert await page.title() == await page.locator("h1").inner_text()
    assert found == []


@pytest.mark.parametrize("kind", CATALOGUE)
def test_plain_text_stands_alone(mailer: Mailer, kind: str) -> None:
    for mail in written(mailer, kind):
        text, entry = mail["text"], CATALOGUE[kind]
        links = re.findall(r"http://127\.0\.0\.1:8000/\S+", text)
        assert links, "something to follow"
        assert not re.search(r"</?(a|b|p|br|div|span|strong)\b|&\w+;|style=", text)
        assert "\n\n\n" not in text
        for line in text.splitlines():
            assert len(line) <= 500, "a paragraph, not a page"
            assert line == line.strip() or line == "-- ", repr(line)
            assert "  " not in line, repr(line)
            assert not re.search(r"[ ,:]\.|\.\.|,,| ,|\(\)|“”", line), repr(line)
        before, _, after = text.partition("\n-- \n")
        for line, following in pairwise(before.splitlines()):
            assert len(line) <= 120 or not following, f"no gap after {line!r}"
        assert any(link in before for link in links), "the link stands before the sign-off"
        assert ("This is a mail of the kind" in after) is entry.optional
        assert ("/unsubscribe/" in after) is entry.optional
        assert ("headers" in mail) is entry.optional
