"""The cast, a desk for seats of the cast's mentor, and a studio whose clock is set by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from app import wiring
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.settings import Settings
from app.wiring import Platform
from tests import cast as casting
from tests.cast import Cast
from tests.packs.studio import Studio
from tests.packs.support import SeatDesk

MONDAY = datetime(2026, 10, 19, 8, 0, tzinfo=UTC)  # the clocks change within the next weeks


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture
def desk(database: Database, cast: Cast) -> SeatDesk:
    return SeatDesk(database, cast)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def silent_platform(settings: Settings) -> AsyncIterator[Platform]:
    """A platform without channels to tell people on."""
    platform = wiring.build(dataclasses.replace(settings, resend_api_key="", discord_bot_token=""))
    yield platform
    await platform.close()


@pytest.fixture
async def studio(silent_platform: Platform) -> Studio:
    """The mentor on a Monday with three seats; nobody of the cast has bought anything yet."""
    cast = Cast()
    async with silent_platform.database.service(ServiceDoor.SEED) as uow:
        for name, role in casting.ROLES.items():
            zone = casting.ZONES.get(name)
            await casting.add_user(
                uow, cast[name], cast.email(name), name.replace("_", " ").title(), role, zone
            )
        await casting.add_mentor(uow, cast["mentor"], "mentor", "Europe/Lisbon", casting.WEEKDAYS)
        await uow.commit()
    return Studio(silent_platform, cast, MONDAY)
