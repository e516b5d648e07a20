"""The application on this worker's database, the cast and their browsers, and sessions that were held."""

from __future__ import annotations

import pytest

from app.calendars.google import Google
from app.core.db import Database
from app.settings import Settings
from tests.booking.conftest import app, cast, open_settings, visit
from tests.cast import Cast
from tests.testimonials.support import Studio

__all__ = ["app", "cast", "open_settings", "visit"]


@pytest.fixture
def studio(database: Database, settings: Settings, cast: Cast) -> Studio:
    """Where the student meets the mentor."""
    return Studio(database, Google(settings), cast)
