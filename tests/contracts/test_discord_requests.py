"""What the platform sends to Discord, and what comes back, against Discord's own description: each kind of message."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.core.outbox import Retry
from app.notifications.catalogue import CATALOGUE
from app.notifications.discord import Discord
from app.notifications.mailer import Mailer
from app.notifications.messenger import Messenger
from app.notifications.models import Channel, DeliveryState
from app.notifications.outlets import Outlets
from app.settings import Settings
from tests import cast as casting
from tests.contracts.specs import answers_valid, needs_specs, requests_valid
from tests.notifications.desk import ACCOUNTS, Desk
from tests.notifications.examples import REQUIRED
from tests.support.sandbox import RunningSandbox

pytestmark = needs_specs


@pytest.fixture
def addressed(settings: Settings, sandbox: RunningSandbox) -> Settings:
    """Settings without mail, Discord leading to the sandbox."""
    return dataclasses.replace(
        settings,
        resend_api_key="",
        discord_url=f"{sandbox.url}/discord/api/v10",
        discord_bot_token=sandbox.settings.discord_bot_token,
        discord_guild_id=sandbox.settings.discord_guild_id,
        discord_mentee_role_id=sandbox.settings.discord_mentee_role_id,
    )


@pytest.fixture
async def desk(database: Database, addressed: Settings, sandbox: RunningSandbox) -> AsyncIterator[Desk]:
    """A desk whose messages go to the sandbox's Discord; the student is there."""
    outlets = Outlets(Mailer.of(addressed), Messenger.of(addressed))
    desk = Desk(database, outlets, sandbox, await casting.make(database))
    await desk.link()
    yield desk
    if outlets.messenger.discord is not None:
        await outlets.messenger.discord.close()


async def test_every_kind_of_message_meets_the_contract(desk: Desk) -> None:
    await desk.link("mentor")
    kinds = [kind for kind in REQUIRED if Channel.DISCORD in CATALOGUE[kind].channels]
    for number, kind in enumerate(kinds):
        desk.event_id = new_id()
        # In turn: Discord takes so many a second in one place.
        await desk.send(desk.message(("student", "mentor")[number % 2], kind), kind=kind)
        assert (await desk.row(Channel.DISCORD)).state is DeliveryState.SENT
    recorded = [item for item in desk.requests("discord") if item["status"] != 429]
    requests, answers = requests_valid(recorded), answers_valid(recorded)
    assert requests.problems == []
    assert answers.problems == []
    assert requests.checked == answers.checked == 2 * len(kinds), "a channel and a message each"
    nonces = [item["body"]["nonce"] for item in recorded if "nonce" in (item["body"] or {})]
    assert len(set(nonces)) == len(kinds)


async def test_retries_and_refusals_meet_the_contract(desk: Desk) -> None:
    desk.sandbox.control.chaos("discord", error_rate=1, after=True, count=1, match="/messages")
    with pytest.raises(Retry):
        await desk.send(desk.message("student"))
    await desk.deliver()
    await desk.link("mentor", open=False)
    desk.event_id = new_id()
    await desk.send()
    recorded = desk.requests("discord")
    assert requests_valid(recorded).problems == []
    assert requests_valid(recorded).checked == len(recorded) == 8


async def test_roles_meet_the_contract(addressed: Settings, sandbox: RunningSandbox) -> None:
    sandbox.control.discord_member(ACCOUNTS["student"])
    discord = Discord(addressed)
    await discord.give_role(ACCOUNTS["student"])
    await discord.take_role(ACCOUNTS["student"])
    await discord.close()
    recorded = sandbox.control.requests("discord")
    assert requests_valid(recorded).problems == []
    assert answers_valid(recorded).problems == []
    assert [item["method"] for item in recorded] == ["PUT", "DELETE"]
