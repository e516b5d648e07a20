"""Google's stand-in behind the real adapter: one running sandbox, put back to its start before each test."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator

import pytest

from app.calendars import service
from app.calendars.google import SCOPES, Google
from app.core.db import Database
from app.settings import Settings
from tests import cast as casting
from tests.calendars.world import World
from tests.cast import Cast
from tests.support.sandbox import MENTOR, RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A running sandbox."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: RunningSandbox) -> RunningSandbox:
    """The running sandbox as after start."""
    served.control.reset()
    return served


@pytest.fixture(scope="session")
def google_settings(settings: Settings, served: RunningSandbox) -> Settings:
    """The platform's settings, Google's addresses leading to the sandbox."""
    addresses = {
        name.lower(): value for name, value in served.platform_settings().items() if name != "CLOCK_FILE"
    }
    return dataclasses.replace(settings, **addresses)  # type: ignore[arg-type]


@pytest.fixture
async def google(google_settings: Settings) -> AsyncIterator[Google]:
    """The adapter."""
    google = Google(google_settings)
    yield google
    google.close()


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture
async def world(database: Database, google: Google, sandbox: RunningSandbox, cast: Cast) -> World:
    """The cast, with the mentor's Google Calendar connected and mirrored."""
    world = World(database, google, sandbox, cast)
    tokens = sandbox.google_tokens(MENTOR, SCOPES)
    await service.connect(
        database,
        google,
        world.mentor_id,
        google_email=MENTOR,
        refresh_token=tokens["refresh_token"],
        scopes=tokens["scope"].split(),
    )
    await world.mirror()
    return world
