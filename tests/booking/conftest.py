"""The cast, and what tests of this slice do with it."""

from __future__ import annotations

import pytest

from app.calendars.google import Google
from app.core.db import Database
from app.settings import Settings
from tests import cast as casting
from tests.booking.support import Desk
from tests.cast import Cast


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture(scope="session")
def google(settings: Settings) -> Google:
    return Google(settings)


@pytest.fixture
def desk(database: Database, google: Google, cast: Cast) -> Desk:
    return Desk(database, google, cast)
