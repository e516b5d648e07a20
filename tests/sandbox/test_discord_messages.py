"""Direct messages, members and roles, with hikari's own REST client."""

from __future__ import annotations

import asyncio
from typing import Any

import hikari
import httpx
import pytest

from app.dev.local import VENDORS
from app.seeds import cast
from sandbox.discord import seeds
from sandbox.settings import Settings
from tests.sandbox.discord import LOUNGE, NEW_STUDENT, STUDENT, bot_rest
from tests.support.sandbox import RunningSandbox, running_sandbox


def as_bot(sandbox: RunningSandbox) -> dict[str, str]:
    return {"Authorization": f"Bot {sandbox.settings.discord_bot_token}"}


def post_message(sandbox: RunningSandbox, body: Any, channel: int = LOUNGE) -> httpx.Response:
    return sandbox.http.post(
        f"/discord/api/v10/channels/{channel}/messages", json=body, headers=as_bot(sandbox)
    )


async def test_a_direct_message_arrives(sandbox: RunningSandbox) -> None:
    async with bot_rest(sandbox) as rest:
        channel = await rest.create_dm_channel(STUDENT)
        again = await rest.create_dm_channel(STUDENT)
        sent = await rest.create_message(channel, "**Hello** <@100000000000000001>", user_mentions=False)
        read = await rest.fetch_message(channel, sent.id)
        edited = await rest.edit_message(channel, sent.id, "Bye", flags=hikari.MessageFlag.SUPPRESS_EMBEDS)
    assert (channel.id, channel.recipient.id) == (again.id, STUDENT)
    assert (read.content, read.user_mentions, read.author.is_bot) == (
        "**Hello** <@100000000000000001>",
        {},
        True,
    )
    assert (edited.content, edited.flags) == ("Bye", hikari.MessageFlag.SUPPRESS_EMBEDS)
    (message,) = sandbox.control.discord_messages(str(STUDENT))
    assert (message["id"], message["channel"], message["content"]) == (str(sent.id), str(channel.id), "Bye")
    assert message["edited_at"] > message["at"]
    assert sandbox.control.discord_messages(str(NEW_STUDENT)) == []


async def test_a_nonce_is_used_once_for_some_minutes(sandbox: RunningSandbox) -> None:
    async with bot_rest(sandbox) as rest:
        channel = await rest.create_dm_channel(STUDENT)
        first = await rest.create_message(channel, "One", nonce="a-nonce")
        second = await rest.create_message(channel, "Two", nonce="a-nonce")
        other = await rest.create_message(channel, "Three", nonce="b-nonce")
        sandbox.control.call("POST", "/discord/nonces/expire")
        later = await rest.create_message(channel, "Four", nonce="a-nonce")
    assert (second.id, second.content, second.nonce) == (first.id, "One", "a-nonce")
    written = [(int(m["id"]), m["nonce"]) for m in sandbox.control.discord_messages()]
    assert written == [(first.id, "a-nonce"), (other.id, "b-nonce"), (later.id, "a-nonce")]


def test_a_nonce_that_is_not_enforced_dedupes_nothing(sandbox: RunningSandbox) -> None:
    ids = {post_message(sandbox, {"content": "Hi", "nonce": "x"}).json()["id"] for _ in range(2)}
    assert len(ids) == 2


async def test_closed_direct_messages_refuse(sandbox: RunningSandbox) -> None:
    async with bot_rest(sandbox) as rest:
        sandbox.control.discord_member(str(STUDENT), open=False)
        channel = await rest.create_dm_channel(STUDENT)
        with pytest.raises(hikari.ForbiddenError) as closed:
            await rest.create_message(channel, "Hello")
        assert (closed.value.code, closed.value.message) == (50007, "Cannot send messages to this user")
        sandbox.control.discord_member(str(STUDENT), open=True)
        await rest.create_message(channel, "Hello")
        sandbox.control.discord_member(str(STUDENT), here=False)
        with pytest.raises(hikari.ForbiddenError) as gone:
            await rest.create_message(channel, "Hello")
        assert gone.value.code == 50278
        with pytest.raises(hikari.BadRequestError) as nobody:
            await rest.create_dm_channel(424242424242424242)
        assert nobody.value.code == 50033
    assert len(sandbox.control.discord_messages()) == 1


async def test_the_mentee_role_is_given_and_taken(sandbox: RunningSandbox) -> None:
    guild, role = (
        int(sandbox.settings.discord_guild_id),
        int(sandbox.settings.discord_mentee_role_id),
    )
    async with bot_rest(sandbox) as rest:
        for _ in range(2):
            await rest.add_role_to_member(guild, NEW_STUDENT, role)
        assert role in (await rest.fetch_member(guild, NEW_STUDENT)).role_ids
        for _ in range(2):
            await rest.remove_role_from_member(guild, NEW_STUDENT, role)
        assert role not in (await rest.fetch_member(guild, NEW_STUDENT)).role_ids
        await rest.add_role_to_member(guild, NEW_STUDENT, role)
        sandbox.control.discord_member(str(NEW_STUDENT), here=False)
        with pytest.raises(hikari.NotFoundError) as gone:
            await rest.remove_role_from_member(guild, NEW_STUDENT, role)
        assert gone.value.code == 10007
        assert sandbox.control.discord_member(str(NEW_STUDENT), here=True)["roles"] == []
        with pytest.raises(hikari.ForbiddenError) as above:
            await rest.add_role_to_member(guild, NEW_STUDENT, 1000000000000000006)
        assert above.value.code == 50013
        with pytest.raises(hikari.NotFoundError) as no_role:
            await rest.add_role_to_member(guild, NEW_STUDENT, 12345)
        assert no_role.value.code == 10011


async def test_the_server_and_accounts_are_read(sandbox: RunningSandbox) -> None:
    async with bot_rest(sandbox) as rest:
        assert (await rest.fetch_my_user()).id == int(sandbox.settings.discord_client_id)
        assert (await rest.fetch_application()).id == int(sandbox.settings.discord_client_id)
        assert (await rest.fetch_user(STUDENT)).global_name == "Demo Student"
        guild = await rest.fetch_guild(int(sandbox.settings.discord_guild_id))
        assert int(sandbox.settings.discord_mentee_role_id) in guild.roles
        assert [role.name for role in await rest.fetch_roles(guild)] == [
            "@everyone",
            "Mentee",
            "Huckleberry",
            "Staff",
        ]
        lounge = await rest.fetch_channel(LOUNGE)
        assert isinstance(lounge, hikari.GuildTextChannel)
        assert (await rest.fetch_gateway_bot_info()).url == f"{sandbox.url}/discord/gateway".replace(
            "http", "ws"
        )
        for missing in (
            rest.fetch_user(1),
            rest.fetch_guild(1),
            rest.fetch_channel(1),
            rest.fetch_message(LOUNGE, 1),
        ):
            with pytest.raises(hikari.NotFoundError):
                await missing


@pytest.mark.parametrize(
    ("body", "code", "at"),
    [
        ({"content": "x" * 2001}, 50035, "content"),
        ({"content": ""}, 50006, ""),
        ({"content": "   "}, 50006, ""),
        ({}, 50006, ""),
        ([], 50035, "_errors"),
        ({"content": "x", "nonce": "n" * 26}, 50035, "nonce"),
        ({"content": "x", "flags": "many"}, 50035, "flags"),
        ({"content": "x", "allowed_mentions": {"parse": ["all"]}}, 50035, "allowed_mentions"),
        ({"content": "x", "embeds": [{"title": "t" * 257}]}, 50035, "embeds"),
        ({"content": "x", "components": [{"type": 2, "style": 1, "custom_id": "a"}]}, 50035, "components"),
        ({"content": "x", "components": [{"type": 1, "components": []}]}, 50035, "components"),
    ],
)
def test_what_discord_refuses_is_refused(sandbox: RunningSandbox, body: Any, code: int, at: str) -> None:
    answer = post_message(sandbox, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert at in answer.json().get("errors", {"": ""})
    assert sandbox.control.discord_messages() == []


@pytest.mark.parametrize(
    "inside",
    [
        [{"type": 2, "style": 5, "label": "Open", "custom_id": "a"}],
        [{"type": 2, "style": 1, "label": "Open"}],
        [{"type": 2, "style": 1, "custom_id": "a"}],
        [
            {"type": 2, "style": 1, "label": "A", "custom_id": "a"},
            {"type": 2, "style": 1, "label": "B", "custom_id": "a"},
        ],
        [{"type": 3, "custom_id": "a", "options": []}],
        [{"type": 3, "custom_id": "a", "options": [{"label": str(n), "value": str(n)} for n in range(26)]}],
        [{"type": 3, "custom_id": "a", "options": [{"label": "x" * 101, "value": "1"}]}],
        [
            {
                "type": 3,
                "custom_id": "a",
                "options": [{"label": "x", "value": "1"}, {"label": "y", "value": "1"}],
            }
        ],
        [
            {"type": 3, "custom_id": "a", "options": [{"label": "x", "value": "1"}]},
            {"type": 2, "style": 1, "label": "B", "custom_id": "b"},
        ],
        [{"type": 3, "custom_id": "a", "max_values": 2, "options": [{"label": "x", "value": "1"}]}],
    ],
)
def test_components_that_discord_refuses(sandbox: RunningSandbox, inside: list[Any]) -> None:
    answer = post_message(sandbox, {"content": "x", "components": [{"type": 1, "components": inside}]})
    assert (answer.status_code, answer.json()["code"]) == (400, 50035), answer.text


@pytest.mark.parametrize("token", ["", "Bot nonsense", "Bot MTIz.sandbox.discord-bot", "Bearer x"])
def test_other_tokens_are_unauthorized(sandbox: RunningSandbox, token: str) -> None:
    answer = sandbox.http.get(
        "/discord/api/v10/gateway/bot", headers={"Authorization": token} if token else {}
    )
    assert (answer.status_code, answer.json()) == (401, {"message": "401: Unauthorized", "code": 0})


def test_a_broken_body_and_an_unknown_address(sandbox: RunningSandbox) -> None:
    broken = sandbox.http.post(
        f"/discord/api/v10/channels/{LOUNGE}/messages", content="{", headers=as_bot(sandbox)
    )
    assert (broken.status_code, broken.json()["code"]) == (400, 50109)
    assert sandbox.http.get("/discord/api/v10/nowhere").json() == {"message": "404: Not Found", "code": 0}


async def test_a_crowded_bucket_says_how_long_to_wait_and_hikari_waits(sandbox: RunningSandbox) -> None:
    answers = [post_message(sandbox, {"content": str(n)}) for n in range(6)]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["4", "3", "2", "1", "0", "0"]
    assert (answers[-1].status_code, answers[-1].json()["global"]) == (429, False)
    assert 0 < answers[-1].json()["retry_after"] <= 1
    sandbox.control.call("POST", "/reset")
    async with bot_rest(sandbox) as rest:
        await asyncio.gather(*(rest.create_message(LOUNGE, str(n)) for n in range(12)))
    assert len(sandbox.control.discord_messages()) == 12


async def test_hikari_tries_again_when_discord_fails(sandbox: RunningSandbox) -> None:
    sandbox.control.chaos(
        "discord", error_rate=1, status=503, count=1, after=True, match="POST /api/v10/channels/"
    )
    async with bot_rest(sandbox) as rest:
        sent = await rest.create_message(LOUNGE, "Once", nonce="once")
    assert [m["id"] for m in sandbox.control.discord_messages()] == [str(sent.id)]
    sandbox.control.chaos("discord", error_rate=1, status=429, count=1)
    async with bot_rest(sandbox) as rest:
        await rest.create_message(LOUNGE, "After a 429")
    assert [r["status"] for r in sandbox.control.requests("discord")] == [503, 200, 429, 200]


def test_messages_and_members_survive_a_restart(tmp_path: Any) -> None:
    with running_sandbox(tmp_path) as sandbox:
        post_message(sandbox, {"content": "Kept", "nonce": "n", "enforce_nonce": True})
        sandbox.control.discord_member(str(STUDENT), open=False)
        before = sandbox.control.discord_messages()
    with running_sandbox(tmp_path) as sandbox:
        assert (
            post_message(sandbox, {"content": "Kept", "nonce": "n", "enforce_nonce": True}).json()["id"]
            == before[0]["id"]
        )
        assert sandbox.control.discord_messages() == before
        members = sandbox.control.call("GET", "/discord/members")["items"]
        assert {m["id"]: m["open"] for m in members}[str(STUDENT)] is False


def test_secrets_are_not_recorded(sandbox: RunningSandbox) -> None:
    post_message(sandbox, {"content": "Hi"})
    assert sandbox.settings.discord_bot_token not in str(sandbox.control.requests("discord"))


def test_the_platform_and_the_sandbox_are_told_the_same() -> None:
    (vendor,) = (vendor for vendor in VENDORS if vendor.name == "Discord")
    environment = {name: value for name, value in vendor.sandbox.items() if "{" not in value}
    assert Settings.from_env(environment) == Settings.from_env({})
    accounts = {(email, id_, username) for id_, username, _, email in seeds.CAST}
    assert accounts.issuperset(cast.DISCORD)
    assert [id_ for _, id_, _ in cast.DISCORD] == [str(STUDENT)]
