"""What Discord's answers mean, asked of the sandbox by the adapter itself."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.notifications.discord import Button, DirectMessage, Discord
from app.notifications.errors import Closed, DeliveryError, Postponed, Refused, Unknown
from app.settings import Settings
from tests.notifications.desk import ACCOUNTS
from tests.support.sandbox import RunningSandbox

ANA = ACCOUNTS["student"]
WORDS = DirectMessage("**Tea**\n\nIt is hot.", Button("Drink it", "http://127.0.0.1:8000/tea"))
CREATE = "/messages"
OPEN = "/users/@me/channels"


@pytest.fixture
async def discord(mail_settings: Settings, sandbox: RunningSandbox) -> AsyncIterator[Discord]:
    """The adapter; Ana is on the server."""
    sandbox.control.discord_member(ANA)
    adapter = Discord(mail_settings)
    yield adapter
    await adapter.close()


async def refused(attempt: Any) -> DeliveryError:
    """What an attempt is refused with."""
    with pytest.raises(DeliveryError) as caught:
        await attempt
    return caught.value


def roles(sandbox: RunningSandbox) -> list[str]:
    members = sandbox.control.call("GET", "/discord/members")["items"]
    (found,) = [member for member in members if member["id"] == ANA]
    return list(found["roles"])


async def test_a_message_arrives_as_it_was_written(discord: Discord, sandbox: RunningSandbox) -> None:
    id_ = await discord.send(ANA, WORDS, "n-1")
    (shown,) = sandbox.control.discord_messages(ANA)
    assert (shown["id"], shown["content"], shown["nonce"]) == (id_, WORDS.content, "n-1")
    (row,) = shown["components"]
    (button,) = row["components"]
    assert (button["label"], button["url"], button["style"]) == ("Drink it", "http://127.0.0.1:8000/tea", 5)
    sent = sandbox.control.requests("discord")[-1]["body"]
    assert sent["enforce_nonce"] is True
    assert sent["allowed_mentions"] == {"parse": []}
    assert sent["flags"] == 1 << 2, "links are not unfolded"


async def test_a_nonce_makes_one_message(discord: Discord, sandbox: RunningSandbox) -> None:
    ids = {await discord.send(ANA, WORDS, "n-1") for _ in range(3)}
    assert len(ids) == len(sandbox.control.discord_messages(ANA)) == 1
    assert await discord.send(ANA, WORDS, "n-2") not in ids


@pytest.mark.parametrize(("member", "code"), [({"open": False}, "50007"), ({"here": False}, "50278")])
async def test_closed_direct_messages(
    discord: Discord, sandbox: RunningSandbox, member: dict[str, Any], code: str
) -> None:
    sandbox.control.discord_member(ANA, **member)
    error = await refused(discord.send(ANA, WORDS, "n-1"))
    assert isinstance(error, Closed)
    assert code in str(error)
    assert "Tea" not in str(error)


async def test_an_account_that_is_gone_is_as_good_as_closed(discord: Discord) -> None:
    assert isinstance(await refused(discord.send("299999999999999999", WORDS, "n-1")), Closed)


async def test_what_discord_never_takes(discord: Discord) -> None:
    error = await refused(discord.send(ANA, DirectMessage("x" * 2001), "n-1"))
    assert type(error) is Refused
    assert "xxx" not in str(error)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_broken_answer_leaves_open_only_what_may_have_been_sent(
    discord: Discord, sandbox: RunningSandbox, status: int
) -> None:
    sandbox.control.chaos("discord", error_rate=1, status=status, match=OPEN)
    assert isinstance(await refused(discord.send(ANA, WORDS, "n-1")), Postponed)
    sandbox.control.chaos("discord", error_rate=1, status=status, match=CREATE, after=True)
    assert isinstance(await refused(discord.send(ANA, WORDS, "n-1")), Unknown)
    asked = [item["path"].rpartition("/")[2] for item in sandbox.control.requests("discord")]
    assert asked == ["channels", "channels", "messages"], "nothing is repeated behind our back"
    sandbox.control.chaos()
    await discord.send(ANA, WORDS, "n-1")
    assert len(sandbox.control.discord_messages(ANA)) == 1


@pytest.mark.parametrize(("match", "meaning"), [(OPEN, Postponed), (CREATE, Unknown)])
async def test_no_answer_in_time(
    mail_settings: Settings, sandbox: RunningSandbox, match: str, meaning: type[DeliveryError]
) -> None:
    sandbox.control.discord_member(ANA)
    hasty = Discord(dataclasses.replace(mail_settings, discord_timeout_seconds=0.5))
    sandbox.control.chaos("discord", latency_ms=5000, match=match)
    error = await refused(hasty.send(ANA, WORDS, "n-1"))
    sandbox.control.chaos()
    assert type(error) is meaning
    assert str(error) == "no answer within 0.5 s"
    await hasty.close()


async def test_nobody_at_the_address_has_sent_nothing(mail_settings: Settings) -> None:
    nowhere = Discord(dataclasses.replace(mail_settings, discord_url="http://127.0.0.1:9/api/v10"))
    assert type(await refused(nowhere.send(ANA, WORDS, "n-1"))) is Postponed
    await nowhere.close()


async def test_a_token_that_is_not_taken_is_the_operators_trouble(mail_settings: Settings) -> None:
    wrong = Discord(dataclasses.replace(mail_settings, discord_bot_token="MTIz.wrong.token"))
    error = await refused(wrong.send(ANA, WORDS, "n-1"))
    assert type(error) is Postponed
    assert "token" in str(error)
    await wrong.close()


async def test_a_short_limit_is_waited_for(discord: Discord, sandbox: RunningSandbox) -> None:
    """The sandbox says half a second."""
    sandbox.control.chaos("discord", error_rate=1, status=429, match=CREATE, count=1)
    await discord.send(ANA, WORDS, "n-1")
    assert [item["status"] for item in sandbox.control.requests("discord")] == [200, 429, 200]


async def test_a_limit_beyond_the_attempt_is_for_later(
    mail_settings: Settings, sandbox: RunningSandbox
) -> None:
    sandbox.control.discord_member(ANA)
    hasty = Discord(dataclasses.replace(mail_settings, discord_timeout_seconds=0.4))
    sandbox.control.chaos("discord", error_rate=1, status=429, match=CREATE)
    error = await refused(hasty.send(ANA, WORDS, "n-1"))
    assert isinstance(error, Postponed)
    assert error.after_seconds == pytest.approx(0.5)
    assert [item["status"] for item in sandbox.control.requests("discord")] == [200, 429]
    await hasty.close()


async def test_many_at_once_keep_to_the_limits(discord: Discord, sandbox: RunningSandbox) -> None:
    """Twelve to one person: five in a second are allowed, the others wait; each arrives, or is put off for certain."""
    ends = await asyncio.gather(
        *(discord.send(ANA, DirectMessage(f"{number}"), f"n-{number}") for number in range(12)),
        return_exceptions=True,
    )
    assert all(isinstance(end, str | Postponed) for end in ends), ends
    arrived = sandbox.control.discord_messages(ANA)
    assert len(arrived) == len([end for end in ends if isinstance(end, str)]) >= 5


async def test_the_role_is_given_and_taken_once(discord: Discord, sandbox: RunningSandbox) -> None:
    for _ in range(2):
        await discord.give_role(ANA)
        assert roles(sandbox) == [sandbox.settings.discord_mentee_role_id]
    for _ in range(2):
        await discord.take_role(ANA)
        assert roles(sandbox) == []


@pytest.mark.parametrize("who", [ANA, "299999999999999999"])
async def test_who_is_not_on_the_server_has_no_role(
    discord: Discord, sandbox: RunningSandbox, who: str
) -> None:
    sandbox.control.discord_member(ANA, here=False)
    await discord.give_role(who)
    await discord.take_role(who)
    assert roles(sandbox) == []


async def test_a_role_that_is_not_there_is_refused(mail_settings: Settings, sandbox: RunningSandbox) -> None:
    sandbox.control.discord_member(ANA)
    wrong = Discord(dataclasses.replace(mail_settings, discord_mentee_role_id="299999999999999999"))
    assert type(await refused(wrong.give_role(ANA))) is Refused
    await wrong.close()


async def test_without_a_role_there_is_nothing_to_give(
    mail_settings: Settings, sandbox: RunningSandbox
) -> None:
    none = Discord(dataclasses.replace(mail_settings, discord_mentee_role_id=""))
    await none.give_role(ANA)
    assert sandbox.control.requests("discord") == []


async def test_a_role_may_be_tried_again_after_anything(discord: Discord, sandbox: RunningSandbox) -> None:
    sandbox.control.chaos("discord", error_rate=1, status=500, after=True, count=1)
    assert isinstance(await refused(discord.give_role(ANA)), Postponed)
    await discord.give_role(ANA)
    assert len(roles(sandbox)) == 1


async def test_closing_gives_back_what_was_opened(discord: Discord, sandbox: RunningSandbox) -> None:
    await discord.close()
    await discord.send(ANA, WORDS, "n-1")
    await discord.close()
    await discord.close()
    assert len(sandbox.control.discord_messages(ANA)) == 1
