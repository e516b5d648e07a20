"""The cast, and a desk for seats of the cast's mentor."""

from __future__ import annotations

import pytest

from app.core.db import Database
from tests import cast as casting
from tests.cast import Cast
from tests.packs.support import SeatDesk


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture
def desk(database: Database, cast: Cast) -> SeatDesk:
    return SeatDesk(database, cast)
