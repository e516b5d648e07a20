"""The application on this worker's database, the cast and their browsers, and a desk with mentees in every situation."""

from __future__ import annotations

import pytest

from app.core.db import Database
from tests.booking.conftest import app, cast, desk, google, open_settings, visit
from tests.cast import Cast
from tests.mentees.support import MenteeDesk

__all__ = ["app", "cast", "desk", "google", "open_settings", "visit"]


@pytest.fixture
def mentees(database: Database, cast: Cast) -> MenteeDesk:
    """The mentor's mentees."""
    return MenteeDesk(database, cast)
