"""The application on this worker's database, the cast, and their browsers."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

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

Visit = Callable[[str], Awaitable[Browser]]


@pytest.fixture(scope="session")
def open_settings(settings: Settings) -> Settings:
    """Settings whose limits don't matter, whose hashes are cheap and whose answers don't wait."""
    return dataclasses.replace(settings, limits_scale=1000.0, argon2_memory_kib=64, even_answer_ms=0)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(open_settings: Settings) -> AsyncIterator[Litestar]:
    """The application."""
    app = create_app(open_settings)
    yield app
    await app.state.database.dispose()


@pytest.fixture
async def cast(database: Database) -> Cast:
    """The cast in the database."""
    return await casting.make(database)


@pytest.fixture
async def visit(
    app: Litestar, database: Database, open_settings: Settings, cast: Cast
) -> AsyncIterator[Visit]:
    """Opens browsers: `await visit("student")` is signed in as the student, `await visit("anonymous")` as nobody."""
    async with AsyncExitStack() as opened:

        async def visit(person: str) -> Browser:
            return await opened.enter_async_context(visiting(app, database, open_settings, cast, person))

        yield visit
