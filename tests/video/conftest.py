"""The cast, and sessions to meet in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from litestar import Litestar

from app.accounts import web_sessions
from app.booking.service import SessionFacts
from app.core.db import Database
from app.core.listener import Listener
from app.core.rls import ServiceDoor
from app.settings import Settings
from app.video.rooms import Pace
from tests.accounts.browser import Browser
from tests.booking.conftest import app, cast, desk, google, open_settings, programs, sandbox, served
from tests.booking.support import Desk
from tests.cast import Cast
from tests.support.visits import visiting
from tests.video.world import Meeting, just_begun, move

__all__ = ["app", "cast", "desk", "google", "open_settings", "programs", "sandbox", "served"]

Open = Callable[[str], Awaitable[Browser]]


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    """A session of the student with the mentor, some days ahead."""
    return (await desk.book("student", (await desk.offers("student"))[0])).session


@pytest.fixture
async def browser_of(
    app: Litestar, database: Database, open_settings: Settings, cast: Cast
) -> AsyncIterator[Open]:
    """Opens browsers: of somebody of the cast, of `anonymous`, or `admin as student`: the admin signed in as them."""
    async with AsyncExitStack() as opened:

        async def browser_of(who: str) -> Browser:
            admin, _, worn = who.partition(" as ")
            person = "anonymous" if worn else admin
            browser = await opened.enter_async_context(visiting(app, database, open_settings, cast, person))
            if worn:
                async with database.service(ServiceDoor.SIGN_IN) as uow:
                    lasts = timedelta(hours=1)
                    browser.carry(await web_sessions.start_as(uow, cast[worn], cast[admin], None, lasts))
                    await uow.commit()
            return browser

        yield browser_of


@pytest.fixture
async def meeting(
    app: Litestar, desk: Desk, booked: SessionFacts, browser_of: Open
) -> AsyncIterator[Meeting]:
    """A session that is on, its room served by this process."""
    await move(desk, booked.id, just_begun())
    browsers = {who: await browser_of(who) for who in ("student", "mentor", "other_student", "admin")}
    listener: Listener = app.state.listener
    made = Meeting(app, desk, booked, browsers)
    async with listener.running(), asyncio.timeout(100):
        await listener.listening()
        async with made.stack:
            yield made
        assert made.rooms.count == 0
    made.rooms.pace = Pace()
