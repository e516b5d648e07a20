"""The cast, and what tests of this slice do with it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar

from app import wiring
from app.asgi import create_app
from app.calendars.google import Google
from app.core.db import Database
from app.settings import Settings
from app.wiring import Platform
from tests import cast as casting
from tests.accounts.browser import Browser
from tests.booking.programs import Programs, programs_of
from tests.booking.support import Desk
from tests.cast import Cast
from tests.notifications.conftest import sandbox, served
from tests.support.sandbox import RunningSandbox
from tests.support.visits import visiting

__all__ = ["sandbox", "served"]

Visit = Callable[[str], Awaitable[Browser]]


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture(scope="session")
def google(settings: Settings) -> Google:
    return Google(settings)


@pytest.fixture
def desk(database: Database, google: Google, cast: Cast) -> Desk:
    return Desk(database, google, cast)


@pytest.fixture
def mailing(settings: Settings, database: Database, sandbox: RunningSandbox) -> Iterator[Platform]:
    """The platform as jobs have it, its mail leading to the sandbox."""
    built = wiring.build(dataclasses.replace(settings, resend_url=f"{sandbox.url}/resend"))
    yield dataclasses.replace(built, database=database)
    built.google.close()


@pytest.fixture(scope="session")
def open_settings(settings: Settings) -> Settings:
    """Settings whose rate limits don't matter."""
    return dataclasses.replace(settings, limits_scale=1000.0)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(open_settings: Settings) -> AsyncIterator[Litestar]:
    app = create_app(open_settings)
    yield app
    await app.state.database.dispose()


@pytest.fixture
async def visit(
    app: Litestar, database: Database, open_settings: Settings, cast: Cast
) -> AsyncIterator[Visit]:
    """Opens browsers: `await visit("student")` is signed in as the student, `await visit("anonymous")` as nobody."""
    async with AsyncExitStack() as opened:

        async def visit(person: str) -> Browser:
            return await opened.enter_async_context(visiting(app, database, open_settings, cast, person))

        yield visit


@pytest.fixture
async def programs(app: Litestar, desk: Desk) -> AsyncIterator[Programs]:
    """Clients of the JSON interface, by name of the cast."""
    async with programs_of(app, desk) as clients:
        yield clients


@pytest.fixture
def student(programs: Programs) -> httpx.AsyncClient:
    return programs["student"]
