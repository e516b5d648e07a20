"""Tests of payments run against a sandbox as after start, whose webhooks go to a letterbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from litestar import Litestar

from app import wiring
from app.asgi import create_app
from app.settings import Settings
from app.wiring import Platform
from tests.accounts.browser import Browser
from tests.payments.shop import Letterbox, Shop, open_shop, settings_for
from tests.support.sandbox import RunningSandbox, running_sandbox, serving
from tests.support.visits import visiting

Visit = Callable[[str], Awaitable[Browser]]


@pytest.fixture(scope="session")
def letterbox() -> Letterbox:
    """Where the vendors' webhooks arrive."""
    return Letterbox()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, letterbox: Letterbox) -> Iterator[RunningSandbox]:
    """A running sandbox."""
    folder = tmp_path_factory.mktemp("sandbox")
    with serving(letterbox) as url, running_sandbox(folder, public_url=url) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: RunningSandbox, letterbox: Letterbox) -> RunningSandbox:
    """The running sandbox as after start, an empty letterbox beside it."""
    served.control.reset()
    letterbox.take()
    return served


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop_platform(settings: Settings, served: RunningSandbox) -> AsyncIterator[Platform]:
    """The platform of all shops of this worker: to build one takes as long as most tests of it."""
    platform = wiring.build(settings_for(settings, served))
    yield platform
    await platform.close()


@pytest.fixture
async def shop(shop_platform: Platform, sandbox: RunningSandbox, letterbox: Letterbox) -> AsyncIterator[Shop]:
    """A shop with the cast."""
    async with open_shop(shop_platform, sandbox, letterbox) as opened:
        yield opened


@pytest.fixture(scope="session")
def web_settings(settings: Settings, served: RunningSandbox) -> Settings:
    """The settings of the web application: vendors are the sandbox, rate limits don't matter."""
    return settings_for(settings, served, checkout_origins=served.url, limits_scale=1000.0)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(web_settings: Settings) -> AsyncIterator[Litestar]:
    """The web application."""
    app = create_app(web_settings)
    yield app
    await app.state.platform.close()


@pytest.fixture
async def visit(app: Litestar, shop: Shop, web_settings: Settings) -> AsyncIterator[Visit]:
    """Opens browsers: `await visit("student")` is signed in as the student, `await visit("anonymous")` as nobody."""
    async with AsyncExitStack() as opened:

        async def visit(person: str) -> Browser:
            return await opened.enter_async_context(
                visiting(app, shop.database, web_settings, shop.cast, person)
            )

        yield visit
