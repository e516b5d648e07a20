"""Google's stand-in behind the real adapter, and the mentor's calendar connected to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.calendars.google import Google
from app.core.db import Database
from app.settings import Settings
from tests.booking.google.desk import GoogleDesk
from tests.calendars.conftest import google_settings, sandbox, served
from tests.cast import Cast
from tests.support.sandbox import RunningSandbox

__all__ = ["google_settings", "sandbox", "served"]


@pytest.fixture
async def google(google_settings: Settings) -> AsyncIterator[Google]:
    google = Google(replace(google_settings, google_timeout_seconds=1.0))
    yield google
    google.close()


@pytest.fixture
async def desk(
    database: Database,
    google: Google,
    cast: Cast,
    sandbox: RunningSandbox,
) -> GoogleDesk:
    """A desk whose mentor has an empty Google Calendar, connected and mirrored."""
    desk = GoogleDesk(database, google, cast, sandbox)
    await asyncio.to_thread(sandbox.control.empty_calendar)
    await desk.reconnect()
    await desk.mirror()
    await desk.sql("delete from outbox")
    return desk
