"""`/calendar/series`: a weekly time, its weeks, and all of them booked or none; by links and plain forms, and fragments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from html import unescape

import pytest

from app.core.templating import iso
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.booking.support import Desk

PATH = "/calendar/series"


@pytest.fixture
async def browser(visit: Visit) -> Browser:
    return await visit("student")


@pytest.fixture
def where(desk: Desk) -> str:
    return f"{PATH}?mentor_id={desk.cast['mentor']}"


def fields(text: str) -> list[tuple[str, str]]:
    """Names and values of the hidden fields of the form that books."""
    form = text[text.index('class="actions series-book"') :]
    return [(n, unescape(v)) for n, v in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)]


def starts(text: str) -> list[str]:
    return [value for name, value in fields(text) if name == "start"]


async def submit(browser: Browser, form: Sequence[tuple[str, str]], *, htmx: bool = False) -> object:
    """Post a form that has a name more than once."""
    data: dict[str, object] = {}
    for name, value in form:
        if name == "start":
            data.setdefault("start", []).append(value)  # type: ignore[attr-defined]
        elif name != "_csrf_token":
            data[name] = value
    return await browser.post(PATH, data, htmx=htmx)  # type: ignore[arg-type]


async def test_it_opens_with_a_time_that_is_free_every_week(browser: Browser, where: str) -> None:
    page = (await browser.get(where)).text
    assert "4 sessions are ready to book." in page
    assert "Book all 4 sessions" in page
    assert len(starts(page)) == 4
    assert "in Lisbon" in page
    part = await browser.fragment(where)
    assert part.text.lstrip().startswith('<div id="series"')
    assert "<html" not in part.text
