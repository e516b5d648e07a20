"""An application whose Discord is the sandbox, and browsers that travel there and back."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from litestar import Litestar

from app.asgi import create_app
from app.core.db import Database
from app.core.models import OutboxEvent
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests.accounts.browser import Browser
from tests.accounts.conftest import Open
from tests.cast import Cast
from tests.support.sandbox import RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("discord")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: RunningSandbox) -> Iterator[RunningSandbox]:
    served.control.reset()
    served.control.chaos()
    yield served
    served.control.chaos()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def discord_app(fast: Settings, served: RunningSandbox) -> AsyncIterator[Litestar]:
    urls = {name.lower(): url for name, url in served.platform_settings().items() if name != "CLOCK_FILE"}
    app = create_app(dataclasses.replace(fast, **urls, discord_timeout_seconds=1.0))  # type: ignore[arg-type]
    yield app
    await app.state.database.dispose()


@pytest.fixture
async def cast(cast: Cast, database: Database) -> Cast:
    """Whose packs and seats were dealt with: what is written about roles from here on is the test's own."""
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await uow.session.execute(sa.delete(OutboxEvent).where(OutboxEvent.type == "discord/role"))
    return cast


@pytest.fixture
async def linking(discord_app: Litestar, browsers: Any) -> Open:
    """As `browsers`, but of an application whose Discord is the sandbox."""

    async def open_(user_id: Any = None) -> Browser:
        browser: Browser = await browsers(user_id)
        browser.http._transport = httpx.ASGITransport(app=discord_app)  # type: ignore[arg-type]
        return browser

    return open_
