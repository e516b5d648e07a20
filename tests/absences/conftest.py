"""The cast, the application, and a mentor who goes away."""

from __future__ import annotations

import pytest

from tests.absences.support import AwayDesk
from tests.booking.conftest import app, cast, desk, google, open_settings, visit
from tests.booking.support import Desk

__all__ = ["app", "cast", "desk", "google", "open_settings", "visit"]


@pytest.fixture
def away(desk: Desk) -> AwayDesk:
    return AwayDesk(desk)
