"""An application whose Google is the sandbox, and browsers that travel there and back."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar

from app.asgi import create_app
from app.settings import Settings
from tests.accounts.browser import Browser
from tests.accounts.conftest import EMAIL
from tests.accounts.google.trips import NEWCOMER
from tests.support.sandbox import RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("google")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: RunningSandbox) -> Iterator[RunningSandbox]:
    served.control.reset()
    served.control.chaos()
    served.control.account(NEWCOMER, name="Nora Newcomer")
    served.control.account(EMAIL, name="Ada at Google")
    yield served
    served.control.chaos()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def google_app(fast: Settings, served: RunningSandbox) -> AsyncIterator[Litestar]:
    urls = {name.lower(): url for name, url in served.platform_settings().items() if name != "CLOCK_FILE"}
    app = create_app(dataclasses.replace(fast, **urls, google_timeout_seconds=1.0))  # type: ignore[arg-type]
    yield app
    await app.state.database.dispose()


@pytest.fixture
async def browsers(google_app: Litestar, browsers: Any) -> Any:
    """As everywhere, but of an application whose Google is the sandbox."""

    async def open_(user_id: Any = None) -> Browser:
        browser: Browser = await browsers(user_id)
        browser.http._transport = httpx.ASGITransport(app=google_app)  # type: ignore[arg-type]
        return browser

    return open_
