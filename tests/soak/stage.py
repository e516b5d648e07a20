"""A platform for a soak: its own database on the tests' server, a sandbox, the cast; workers on a quick beat."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.calendars.google import Google
from app.core.db import Database
from app.settings import Settings
from tests import cast as casting
from tests.booking.support import Desk
from tests.support.postgres import TestServer
from tests.support.sandbox import RunningSandbox, running_sandbox

QUICK = {
    "outbox_sweep_seconds": 1.0,
    "job_heartbeat_seconds": 1,
    "job_sweep_seconds": 1,
    "resend_timeout_seconds": 1.0,
    "log_level": "CRITICAL",
}


@dataclass(frozen=True)
class Stage:
    """What a soak plays on."""

    settings: Settings
    sandbox: RunningSandbox
    desk: Desk


def played_on(settings: Settings, sandbox: RunningSandbox) -> Settings:
    """`settings` with the vendors in the sandbox, and dead workers noticed within seconds."""
    given = sandbox.platform_settings()
    addresses = {name.lower(): value for name, value in given.items() if name != "CLOCK_FILE"}
    return dataclasses.replace(settings, **addresses, **QUICK)  # type: ignore[arg-type]


@asynccontextmanager
async def stage(settings: Settings, sandbox: RunningSandbox) -> AsyncIterator[Stage]:
    """The cast on a migrated database; its engines and adapter are closed at the end."""
    played = played_on(settings, sandbox)
    database, google = Database(played), Google(played)
    try:
        yield Stage(played, sandbox, Desk(database, google, await casting.make(database)))
    finally:
        google.close()
        await database.dispose()


@asynccontextmanager
async def own_stage() -> AsyncIterator[Stage]:
    """A stage of its own, for `make soak`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="soak-")))
        server = TestServer.of_kind("embedded")
        stack.enter_context(server.running())
        urls = stack.enter_context(server.clone("soak"))
        secrets = {
            "SECRET_KEY": server.secrets.secret_key,
            "ENCRYPTION_KEYS": server.secrets.encryption_keys,
        }
        settings = Settings.from_env({**urls.as_env(), **secrets, "DATA_DIR": str(folder)})
        sandbox = stack.enter_context(running_sandbox(folder / "sandbox"))
        async with stage(settings, sandbox) as own:
            yield own
