"""Mail through the real adapter to a running sandbox, put back to its start before each test."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from app.core.db import Database
from app.notifications.mailer import Mailer
from app.settings import Settings
from tests import cast as casting
from tests.cast import Cast
from tests.notifications.desk import Desk
from tests.support.sandbox import RunningSandbox, running_sandbox


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


@pytest.fixture
def mail_settings(settings: Settings, sandbox: RunningSandbox) -> Settings:
    """The platform's settings, mail leading to the sandbox."""
    return dataclasses.replace(
        settings, resend_url=f"{sandbox.url}/resend", email_reply_to="help@example.test"
    )


@pytest.fixture
def mailer(mail_settings: Settings) -> Mailer:
    """The mailer of these settings."""
    return Mailer.of(mail_settings)


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture
def desk(database: Database, mailer: Mailer, sandbox: RunningSandbox, cast: Cast) -> Desk:
    """Sends mails about sessions to the cast and looks at what became of them."""
    return Desk(database, mailer, sandbox, cast)
