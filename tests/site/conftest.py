"""The application on this worker's database, the cast, and the mentor's browser."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from litestar import Litestar

from app.asgi import create_app
from app.core.db import Database
from app.settings import Settings
from tests import cast as casting
from tests.accounts.browser import Browser
from tests.cast import Cast
from tests.support.visits import visiting


@pytest.fixture(scope="session")
def open_settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, limits_scale=1000.0)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(open_settings: Settings) -> AsyncIterator[Litestar]:
    app = create_app(open_settings)
    yield app
    await app.state.database.dispose()


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture
async def mentor(
    app: Litestar, database: Database, open_settings: Settings, cast: Cast
) -> AsyncIterator[Browser]:
    """The mentor's browser."""
    async with visiting(app, database, open_settings, cast, "mentor") as browser:
        yield browser
