"""`/calendar/series`: a weekly time, its weeks, and all of them booked or none; by links and plain forms, and fragments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from app.core import clock
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.booking.support import WEEK, Desk

PATH = "/calendar/series"


@pytest.fixture
async def browser(visit: Visit) -> Browser:
    return await visit("student")


@pytest.fixture
def where(desk: Desk) -> str:
    return f"{PATH}?mentor_id={desk.cast['mentor']}"


def fields(text: str) -> dict[str, Any]:
    """The form that books, as it would be posted."""
    form = text[text.index('class="actions series-book"') :]
    found = [(n, unescape(v)) for n, v in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)]
    values: dict[str, Any] = {name: value for name, value in found if name not in ("start", "_csrf_token")}
    return values | {"start": [value for name, value in found if name == "start"]}


def starts(text: str) -> list[datetime]:
    return [datetime.fromisoformat(start) for start in fields(text)["start"]]


def links(text: str, words: str) -> list[str]:
    """Where links with these words lead."""
    found = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(?:(?!</a>).)*?' + words, text, re.DOTALL)
    return [unescape(href) for href in found]


def others(text: str, monday: str) -> list[str]:
    """The other times that a week is offered."""
    hrefs = [unescape(href) for href in re.findall(r'<li><a href="([^"]*)"', text)]
    return [href for href in hrefs if f"{monday}.2" in href]


async def post(browser: Browser, form: Mapping[str, Any], *, htmx: bool = False) -> httpx.Response:
    return await browser.post(PATH, form, htmx=htmx)


async def test_it_opens_with_a_time_that_is_free_every_week(browser: Browser, where: str) -> None:
    page = (await browser.get(where)).text
    assert "4 sessions are ready to book." in page
    assert "Book all 4 sessions" in page
    found = starts(page)
    assert all(timedelta(days=6) < after - before < timedelta(days=8) for before, after in pairwise(found))
    assert "in Lisbon" in page
    part = await browser.fragment(where)
    assert part.text.lstrip().startswith('<div id="series"')
    assert "<html" not in part.text


@pytest.mark.parametrize("htmx", [False, True])
async def test_all_of_them_are_booked(desk: Desk, browser: Browser, where: str, htmx: bool) -> None:
    form = fields((await browser.get(where)).text)
    for _ in range(2):  # a second click changes nothing
        answer = await post(browser, form, htmx=htmx)
        if htmx:
            assert (answer.status_code, answer.headers["hx-redirect"]) == (200, "/sessions")
        else:
            assert target(answer) == "/sessions"
        assert browser.flashes() == ["Booked: 4 sessions. One mail with all the dates is on its way to you."]
    assert sorted(row.scheduled_at for row in await desk.scheduled()) == [
        datetime.fromisoformat(start) for start in form["start"]
    ]
    assert "No session left to book" in (await browser.get(where)).text


async def test_a_clash_is_told_and_another_time_chosen(desk: Desk, browser: Browser, where: str) -> None:
    free = starts((await browser.get(where)).text)
    asked = dict(parse_qsl(fields((await browser.get(where)).text)["query"]))
    await desk.book(await desk.student(), free[1])
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    page = (await browser.get(f"{PATH}?{query}")).text
    assert "One week needs another time or a pause." in page
    assert "Somebody has this time" in page
    assert "series-book" not in page
    monday = f"{datetime.fromisoformat(asked['from']) + WEEK:%Y-%m-%d}"
    chosen = others(page, monday)
    assert chosen
    page = (await browser.get(chosen[0])).text
    assert "4 sessions are ready to book." in page
    assert "Another time" in page
    found = starts(page)
    assert abs(found[1] - free[1]) < timedelta(days=2)
    assert [found[0], *found[2:]] == [free[0], *free[2:]]
    back = links(page, "Back to the usual time")
    assert "One week needs" in (await browser.get(back[0])).text
    assert target(await post(browser, fields(page))) == "/sessions"


async def test_a_week_is_skipped_and_the_series_goes_on_a_week_later(browser: Browser, where: str) -> None:
    page = (await browser.get(where)).text
    free = starts(page)
    page = (await browser.get(links(page, "Skip this week")[1])).text
    found = starts(page)
    assert (found[0], found[1:3]) == (free[0], free[2:])
    assert timedelta(days=6) < found[3] - free[3] < timedelta(days=8)
    assert starts((await browser.get(links(page, "Don’t skip")[0])).text) == free


async def test_what_was_taken_meanwhile_is_shown_and_nothing_booked(
    desk: Desk, browser: Browser, where: str
) -> None:
    form = fields((await browser.get(where)).text)
    await desk.book(await desk.student(), datetime.fromisoformat(form["start"][2]))
    for htmx in (False, True):
        answer = await post(browser, form, htmx=htmx)
        assert (answer.status_code, "<html" in answer.text) == (409, not htmx)
        assert 'data-code="slot_taken"' in answer.text
        assert "they are as they are now" in answer.text
        assert "Somebody has this time" in answer.text
    assert len(await desk.scheduled()) == 1


async def test_fewer_fit_before_the_pack_ends(desk: Desk, browser: Browser, where: str) -> None:
    await desk.sql("update session_packs set expires_at = :at", at=clock.now() + timedelta(days=16))
    page = (await browser.get(where)).text
    assert "fit: your pack ends before." in page
    assert 2 <= len(starts(page)) <= 3


async def test_another_weekday_leaves_the_time_open(browser: Browser, where: str) -> None:
    page = (await browser.get(f"{where}&weekday=1&shown=3&time=03:30")).text
    assert "ready to book" in page
    assert "Mondays at" in page
    asked = (await browser.get(f"{where}&weekday=1&shown=1&time=03:30")).text
    assert "Mondays at 03:30" in asked
    assert "Outside Mentor’s hours." in asked
    sunday = (await browser.get(f"{where}&weekday=7")).text
    assert "Sunday (none)" in sunday


async def test_the_wall_time_is_the_mentors_and_the_students_shift_is_told(
    desk: Desk, visit: Visit, where: str
) -> None:
    now = datetime(clock.now().year + 1, 3, 1, 12, tzinfo=UTC)  # New York changes two weeks before Lisbon
    await desk.sql("update session_packs set expires_at = :at", at=now + timedelta(days=45))
    browser = await visit("student")
    with clock.standing_at(now):
        page = (await browser.get(f"{where}&weekday=3&time=15:00&count=4")).text
        found = starts(page)
    hours = [start.hour for start in found]
    assert len(set(hours)) == 2 or page.count("for you: clocks change.")
    assert "From here on an hour later for you: clocks change." in page
    assert page.count("15:00 in Lisbon") >= 4


@pytest.mark.parametrize(
    "query",
    [
        "weekday=8", "weekday=0", "weekday=x", "weekday=%C2%B2", "time=25:00", "time=9:5", "time=x", "from=x",
        "from=2026-02-30", "count=0", "count=99999", "week=x", "week=2026-11-23.x", "week=2026-11-23", "at=x",
        "week=0001-01-01.skip", "mentor_id=x&", "week=2026-11-23.skip&" * 61,
    ],
)  # fmt: skip
async def test_nonsense_is_400(browser: Browser, where: str, query: str) -> None:
    address = f"{PATH}?{query}" if "mentor_id" in query else f"{where}&{query}"
    assert (await browser.get(address)).status_code == 400


@pytest.mark.parametrize("query", ["from=1999-01-04", "from=2099-12-28", "count=900", "weekday=7&time=00:00"])
async def test_what_lies_far_off_is_brought_near(browser: Browser, where: str, query: str) -> None:
    answer = await browser.get(f"{where}&{query}")
    assert (answer.status_code, 'id="series-weekday"' in answer.text) == (200, True)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"start": []},
        {"start": ["x"]},
        {"start": ["2026-11-24T10:00:00Z"] * 2, "query": "weekday=9"},
        {"start": ["2026-11-24T10:00:00Z"], "query": "week=2026-11-23.skip&" * 80},
    ],
)
async def test_a_form_that_cannot_be_read_books_nothing(
    desk: Desk, browser: Browser, form: dict[str, Sequence[str]]
) -> None:
    answer = await post(browser, {"mentor_id": str(desk.cast["mentor"])} | form)
    assert answer.status_code == 400
    assert await desk.scheduled() == []


async def test_without_a_pack_the_page_says_what_will_be_here(visit: Visit, where: str) -> None:
    browser = await visit("new_student")
    assert "Meet the instructors" in (await browser.get(PATH)).text
    assert "You have no pack to book from" in (await browser.get(where)).text
    unknown = await browser.get(f"{PATH}?mentor_id=00000000-0000-4000-8000-000000000000")
    assert unknown.status_code == 404


async def test_the_calendar_leads_here(browser: Browser, desk: Desk) -> None:
    page = (await browser.get("/calendar")).text
    (href,) = links(page, "Book the same time every week")
    assert urlsplit(href).path == PATH
    await desk.sql("update session_packs set remaining_sessions = 1")
    assert links((await browser.get("/calendar")).text, "Book the same time every week") == []
