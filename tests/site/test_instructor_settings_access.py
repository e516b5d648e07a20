"""`/instructor/settings`: what the calendar's card tells, and who gets in."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar import Litestar

from app.asgi import create_app
from app.calendars.models import CalendarConnection, CalendarState
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests import cast as casting
from tests.accounts.browser import Browser, target
from tests.cast import Cast
from tests.site.settings_page import HOURS, PAGE, TUESDAY, connect, stored
from tests.support.visits import visiting

SOMEBODY_ELSE = ("anonymous", "student", "admin")


async def test_a_revoked_calendar_offers_nothing_and_asks_to_reconnect(
    mentor: Browser, database: Database, cast: Cast
) -> None:
    await connect(database, cast, state=CalendarState.REVOKED)
    html = (await mentor.get(PAGE)).text
    assert "Access was withdrawn" in html
    assert 'href="/auth/google?purpose=calendar">Reconnect' in html
    assert "has to be connected again" in html


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"mirrored_at": TUESDAY - timedelta(minutes=10)}, "10 minutes ago"),
        ({"mirrored_at": TUESDAY - timedelta(minutes=30)}, "hasn&#39;t been read for a while"),
        ({"last_error": "calendar_gone"}, "choose another one"),
        ({"last_error": "unavailable"}, "Google didn&#39;t answer when we last asked"),
        ({"channel_expires_at": datetime.now(UTC) + timedelta(days=3)}, "changes arrive at once"),
        ({"channel_expires_at": datetime.now(UTC) - timedelta(days=3)}, "every 5 minutes"),
        (
            {"calendars": [["studio@example.test", "Mine"], ["b", "Shows"]]},
            '<option value="b">Shows</option>',
        ),
    ],
)
async def test_the_calendar_card_tells_its_state(
    mentor: Browser, database: Database, cast: Cast, values: dict[str, Any], expected: str
) -> None:
    await connect(database, cast, **values)
    with clock.standing_at(TUESDAY):
        html = (await mentor.get(PAGE)).text
    assert expected in html
    assert "Connected" in html


async def test_without_google_there_is_no_card(
    database: Database, open_settings: Settings, cast: Cast
) -> None:
    app = create_app(dataclasses.replace(open_settings, google_client_id=""))
    async with visiting(app, database, open_settings, cast, "mentor") as browser:
        html = (await browser.get(PAGE)).text
    assert "Google Calendar</h2>" not in html
    assert 'id="availability"' in html
    await app.state.database.dispose()


POSTS = (
    "/availability",
    "/preview",
    "/overrides",
    "/overrides/2027-03-11/removal",
    "/profile",
    "/google/calendar",
    "/google/disconnection",
)


@pytest.mark.parametrize("person", SOMEBODY_ELSE)
async def test_only_mentors_get_in(
    app: Litestar, database: Database, open_settings: Settings, cast: Cast, person: str
) -> None:
    before = await stored(database, cast)
    async with visiting(app, database, open_settings, cast, person) as browser:
        page = await browser.get(PAGE)
        if person == "anonymous":
            assert target(page) == f"/sign-in?next={PAGE}"
        else:
            assert page.status_code == 403
        for path in POSTS:
            for htmx in (True, False):
                answer = await browser.post(PAGE + path, HOURS, htmx=htmx)
                assert answer.status_code == (401 if person == "anonymous" else 403), path
    after = await stored(database, cast)
    assert after.working_hours == before.working_hours


async def test_another_mentor_changes_and_sees_only_their_own(
    app: Litestar, database: Database, open_settings: Settings, cast: Cast
) -> None:
    await connect(database, cast)
    async with visiting(app, database, open_settings, cast, "other_mentor") as browser:
        html = (await browser.get(PAGE)).text
        assert "studio@example.test" not in html
        assert "Not connected" in html
        await browser.post(f"{PAGE}/availability", HOURS)
        await browser.post(f"{PAGE}/google/disconnection")
    assert (await stored(database, cast)).working_hours == casting.WEEKDAYS
    async with database.service(ServiceDoor.JOB) as uow:
        assert await uow.session.get(CalendarConnection, cast["mentor"]) is not None


async def test_every_post_needs_the_csrf_token(mentor: Browser) -> None:
    for path in POSTS:
        assert (await mentor.post(PAGE + path, HOURS, csrf=False)).status_code == 403
