"""Tests of payments run against a sandbox as after start, whose webhooks go to a letterbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from app.settings import Settings
from tests.payments.shop import Letterbox, Shop, open_shop
from tests.support.sandbox import RunningSandbox, running_sandbox, serving


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


@pytest.fixture
async def shop(settings: Settings, sandbox: RunningSandbox, letterbox: Letterbox) -> AsyncIterator[Shop]:
    """A shop with the cast."""
    async with open_shop(settings, sandbox, letterbox) as opened:
        yield opened
