"""The application on this worker's database, the cast and their browsers, and sessions that were marked."""

from __future__ import annotations

import pytest

from app.booking.service import SessionFacts
from app.calendars.google import Google
from app.core.db import Database
from app.settings import Settings
from tests.booking.conftest import app, cast, open_settings, visit
from tests.cast import Cast
from tests.disputes.support import Court

__all__ = ["app", "cast", "open_settings", "visit"]


@pytest.fixture
def court(database: Database, settings: Settings, cast: Cast) -> Court:
    """Where what was marked is disputed."""
    return Court(database, Google(settings), cast)


@pytest.fixture
async def booked(court: Court) -> SessionFacts:
    """The student's next session with the mentor."""
    return (await court.book("student", (await court.offers("student"))[0])).session
