"""The mentor's way to Google and back, choosing a calendar, disconnecting; with scripts and without."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from litestar import Litestar

from app.asgi import create_app
from app.calendars.google import SCOPES
from app.calendars.models import CalendarState
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.calendars.world import World
from tests.support.sandbox import MENTOR
from tests.support.visits import visiting

PAGE = "/instructor/settings"
SECOND = "studio0shows0and0fairs@group.calendar.google.com"
TOKYO = "mentor-tokyo@example.test"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(google_settings: Settings) -> AsyncIterator[Litestar]:
    app = create_app(dataclasses.replace(google_settings, limits_scale=1000.0))
    yield app
    app.state.platform.google.close()
    await app.state.database.dispose()


@pytest.fixture
async def mentor(app: Litestar, world: World) -> AsyncIterator[Browser]:
    """The connected mentor's browser."""
    async with visiting(app, world.database, world.google.settings, world.cast, "mentor") as browser:
        yield browser


@pytest.fixture
async def other(app: Litestar, world: World) -> AsyncIterator[Browser]:
    """The browser of a mentor without Google."""
    async with visiting(app, world.database, world.google.settings, world.cast, "other_mentor") as browser:
        yield browser


async def consent(world: World, browser: Browser, address: str, **decision: Any) -> str:
    """Follow the link to Google, decide there as `address`, come back; gives where that leads."""
    leaving = await browser.get("/auth/google?purpose=calendar")
    assert leaving.status_code == 303
    url = leaving.headers["location"]
    decide = partial(world.sandbox.control.consent, url, address, **decision)
    back = await asyncio.to_thread(decide)
    parts = urlsplit(back)
    answer = await browser.get(f"{parts.path}?{parts.query}")
    return target(answer) if answer.status_code == 303 else str(answer.status_code)


async def test_connecting_by_google_consent_page(world: World, other: Browser) -> None:
    assert "Not connected" in (await other.get(PAGE)).text
    assert await consent(world, other, TOKYO) == PAGE
    assert "Google Calendar is connected." in other.flashes()[0]
    html = (await other.get(PAGE)).text
    assert "Connected" in html
    assert TOKYO in html
    payload = {"mentor_id": str(world.cast["other_mentor"])}
    assert (await world.emitted("calendar/mirror"))[-1] == payload
    assert (await world.emitted("calendar/reconnected"))[-1] == payload


async def test_reconnecting_after_a_revocation(world: World, mentor: Browser) -> None:
    world.sandbox.control.chaos("google", revoke=True)
    await world.mirror()
    assert "Reconnect" in (await mentor.get(PAGE)).text
    world.sandbox.control.chaos("google")
    assert await consent(world, mentor, MENTOR) == PAGE
    connection = await world.connection()
    assert connection is not None
    assert connection.state is CalendarState.CONNECTED
    assert "Reconnect" not in (await mentor.get(PAGE)).text


async def test_saying_no_changes_nothing(world: World, other: Browser) -> None:
    assert await consent(world, other, TOKYO, allow=False) == PAGE
    assert "You said no at Google" in other.flashes()[0]
    assert "Not connected" in (await other.get(PAGE)).text


@pytest.mark.parametrize("scopes", [SCOPES[:1], SCOPES[1:], []])
async def test_allowing_less_is_explained_and_changes_nothing(
    world: World, other: Browser, scopes: list[str]
) -> None:
    outcome = await consent(world, other, TOKYO, scopes=scopes)
    assert outcome in (PAGE, "422")
    assert "Not connected" in (await other.get(PAGE)).text


async def test_google_away_on_the_way_back_is_explained(world: World, other: Browser) -> None:
    world.sandbox.control.chaos("google", error_rate=1, match="calendarList")
    assert await consent(world, other, TOKYO) == PAGE
    assert "Google didn't answer in time. Nothing was changed" in other.flashes()[0]


@pytest.mark.parametrize("htmx", [True, False])
async def test_choosing_a_calendar(world: World, mentor: Browser, htmx: bool) -> None:
    answer = await mentor.post(f"{PAGE}/google/calendar", {"google_calendar_id": SECOND}, htmx=htmx)
    if htmx:
        assert answer.status_code == 200
        assert answer.text.lstrip().startswith('<section id="google"')
        assert f'<option value="{SECOND}" selected>' in answer.text
    else:
        assert target(answer) == PAGE
    connection = await world.connection()
    assert connection is not None
    assert connection.google_calendar_id == SECOND


@pytest.mark.parametrize("htmx", [True, False])
async def test_a_calendar_that_is_not_theirs_is_refused(world: World, mentor: Browser, htmx: bool) -> None:
    answer = await mentor.post(f"{PAGE}/google/calendar", {"google_calendar_id": TOKYO}, htmx=htmx)
    assert answer.status_code == 422
    assert ("<html" in answer.text) is not htmx
    assert "Choose one of the calendars in the list." in answer.text
    connection = await world.connection()
    assert connection is not None
    assert connection.google_calendar_id == MENTOR


async def test_choosing_while_google_is_away(world: World, mentor: Browser) -> None:
    world.sandbox.control.chaos("google", error_rate=1, match="/calendar/v3/")
    answer = await mentor.post(f"{PAGE}/google/calendar", {"google_calendar_id": SECOND}, htmx=True)
    assert answer.status_code == 503
    assert "Google didn&#39;t answer in time" in answer.text


async def test_choosing_without_a_connection_is_not_found(other: Browser) -> None:
    answer = await other.post(f"{PAGE}/google/calendar", {"google_calendar_id": SECOND})
    assert answer.status_code == 404


@pytest.mark.parametrize("htmx", [True, False])
async def test_disconnecting(world: World, mentor: Browser, htmx: bool) -> None:
    answer = await mentor.post(f"{PAGE}/google/disconnection", htmx=htmx)
    if htmx:
        assert answer.text.lstrip().startswith('<section id="google"')
        assert "Not connected" in answer.text
    else:
        assert target(answer) == PAGE
    assert await world.connection() is None
    assert await world.windows() == {}


async def test_pages_do_not_wait_for_google(world: World, mentor: Browser) -> None:
    before = len(world.requests(""))
    assert (await mentor.get(PAGE)).status_code == 200
    assert len(world.requests("")) == before


@pytest.mark.parametrize("person", ["student", "admin", "anonymous"])
async def test_only_mentors_set_out(app: Litestar, world: World, person: str) -> None:
    async with visiting(app, world.database, world.google.settings, world.cast, person) as browser:
        answer = await browser.get("/auth/google?purpose=calendar")
    assert answer.status_code in (303, 403)
    assert "google/o/oauth2" not in answer.headers.get("location", "")
