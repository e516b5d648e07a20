"""Mail and direct messages through the real adapters to a running sandbox, put back to its start before each test."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator

import pytest

from app.accounts.contacts import note_direct_messages
from app.core.db import Database
from app.notifications.mailer import Mailer
from app.notifications.messenger import Messenger
from app.notifications.outlets import Outlets
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
    """The platform's settings, mail and Discord leading to the sandbox."""
    return dataclasses.replace(
        settings,
        resend_url=f"{sandbox.url}/resend",
        email_reply_to="help@example.test",
        discord_url=f"{sandbox.url}/discord/api/v10",
        discord_bot_token=sandbox.settings.discord_bot_token,
        discord_guild_id=sandbox.settings.discord_guild_id,
        discord_mentee_role_id=sandbox.settings.discord_mentee_role_id,
    )


@pytest.fixture
async def outlets(mail_settings: Settings) -> AsyncIterator[Outlets]:
    """What sends with these settings."""
    messenger = Messenger.of(mail_settings, note_direct_messages)
    yield Outlets(Mailer.of(mail_settings), messenger)
    if messenger.discord is not None:
        await messenger.discord.close()


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture
def desk(database: Database, outlets: Outlets, sandbox: RunningSandbox, cast: Cast) -> Desk:
    """Sends notifications about sessions to the cast and looks at what became of them."""
    return Desk(database, outlets, sandbox, cast)
