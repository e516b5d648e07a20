"""The gateway with hikari's own bot: ready, dropped, resumed, refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from pathlib import Path
from typing import Any

import hikari
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.sandbox.discord import GUILD, LOUNGE, STUDENT, api, gateway_bot, register
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.waiting import until

FLUSH = b"\x00\x00\xff\xff"


def address(sandbox: RunningSandbox, query: str = "?v=10&encoding=json") -> str:
    return sandbox.url.replace("http", "ws") + "/discord/gateway" + query


def identify(sandbox: RunningSandbox, **more: Any) -> str:
    token = sandbox.settings.discord_bot_token
    return json.dumps({"op": 2, "d": {"token": token, "intents": 1, "properties": {}, **more}})


def sessions(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = sandbox.control.call("GET", "/discord/gateway")["items"]
    return items


async def test_a_bot_gets_ready_and_knows_the_server(sandbox: RunningSandbox) -> None:
    async with gateway_bot(sandbox) as bot:
        me = bot.get_me()
        assert me is not None
        assert str(me.id) == sandbox.settings.discord_client_id
        await until(lambda: bot.cache.get_guild(GUILD) is not None)
        assert bot.cache.get_guild_channel(LOUNGE) is not None
        assert bot.cache.get_role(int(sandbox.settings.discord_mentee_role_id)) is not None
        assert [(s["connected"], s["seq"]) for s in sessions(sandbox)] == [(True, 2)]
    assert sessions(sandbox) == []


async def test_missed_interactions_are_replayed_when_a_dropped_bot_resumes(sandbox: RunningSandbox) -> None:
    heard: list[str] = []

    async def listen(event: hikari.InteractionCreateEvent) -> None:
        assert isinstance(event.interaction, hikari.CommandInteraction)
        heard.append(event.interaction.command_name)
        await event.interaction.create_initial_response(
            hikari.ResponseType.MESSAGE_CREATE, f"heard {event.interaction.command_name}"
        )

    async with gateway_bot(sandbox, listen) as bot:
        await register(bot, "next", "packs")
        (before,) = sessions(sandbox)
        assert sandbox.control.call("POST", "/discord/gateway/drop", {}) == {"dropped": 1}
        done = await asyncio.to_thread(sandbox.control.discord_command, str(STUDENT), "next")
        assert [m["content"] for m in done["messages"]] == ["heard next"]
        (after,) = sessions(sandbox)
        assert (after["session"], after["connected"]) == (before["session"], True)
        assert sandbox.control.call("POST", "/discord/gateway/drop", {"reconnect": True}) == {"dropped": 1}
        await asyncio.to_thread(sandbox.control.discord_command, str(STUDENT), "packs")
        assert sessions(sandbox)[0]["session"] == before["session"]
    assert heard == ["next", "packs"]


async def test_a_session_that_is_lost_is_begun_anew(sandbox: RunningSandbox) -> None:
    async with gateway_bot(sandbox) as bot:
        (before,) = sessions(sandbox)
        ready = asyncio.create_task(bot.wait_for(hikari.ShardReadyEvent, 30))
        await asyncio.sleep(0)
        sandbox.control.call("POST", "/discord/gateway/drop", {"resumable": False})
        await ready
        (after,) = sessions(sandbox)
        assert after["session"] != before["session"]


async def test_a_bot_resumes_after_a_restart_of_the_sandbox(tmp_path: Path) -> None:
    stack = contextlib.ExitStack()
    sandbox = stack.enter_context(running_sandbox(tmp_path))
    async with connect(address(sandbox)) as socket:
        await socket.recv()
        await socket.send(identify(sandbox))
        before = json.loads(await socket.recv())["d"]["session_id"]
        await socket.recv()
        await asyncio.to_thread(stack.close)
    assert socket.close_code == 1012
    with running_sandbox(tmp_path) as sandbox:
        assert sessions(sandbox) == [{"session": before, "connected": False, "seq": 2}]
        async with connect(address(sandbox)) as socket:
            assert json.loads(await socket.recv())["op"] == 10
            token = sandbox.settings.discord_bot_token
            await socket.send(json.dumps({"op": 6, "d": {"token": token, "session_id": before, "seq": 1}}))
            told = [json.loads(await socket.recv()) for _ in range(2)]
            assert [(t["s"], t["t"]) for t in told] == [(2, "GUILD_CREATE"), (3, "RESUMED")]


async def test_heartbeats_and_one_stream_of_zlib(sandbox: RunningSandbox) -> None:
    unpack = zlib.decompressobj()
    async with connect(address(sandbox, "?v=10&encoding=json&compress=zlib-stream")) as socket:

        async def told() -> Any:
            frame = await socket.recv()
            assert isinstance(frame, bytes)
            assert frame.endswith(FLUSH)
            return json.loads(unpack.decompress(frame))

        assert (await told())["d"]["heartbeat_interval"] == 41250
        await socket.send(json.dumps({"op": 1, "d": None}))
        assert (await told())["op"] == 11
        await socket.send(identify(sandbox))
        ready = await told()
        assert (ready["t"], ready["s"], ready["d"]["v"]) == ("READY", 1, 10)
        assert ready["d"]["resume_gateway_url"] == address(sandbox, "")
        assert (await told())["t"] == "GUILD_CREATE"


@pytest.mark.parametrize(
    ("query", "said", "code"),
    [
        ("", '{"op": 2, "d": {"token": "nonsense", "intents": 1}}', 4004),
        ("", "nonsense", 4002),
        ("", '{"op": 3, "d": {}}', 4003),
        ("", '{"op": 2, "d": {"token": "TOKEN", "intents": -1}}', 4013),
        ("&compress=zstd-stream", "{}", 4002),
    ],
)
async def test_what_ends_a_connection(sandbox: RunningSandbox, query: str, said: str, code: int) -> None:
    async with connect(address(sandbox, "?v=10&encoding=json" + query)) as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.send(said.replace("TOKEN", sandbox.settings.discord_bot_token))
        await socket.wait_closed()
    assert socket.close_code == code


async def test_an_unknown_session_is_invalid_but_the_connection_stays(sandbox: RunningSandbox) -> None:
    async with connect(address(sandbox)) as socket:
        await socket.recv()
        lost = {"token": sandbox.settings.discord_bot_token, "session_id": "lost", "seq": 1}
        await socket.send(json.dumps({"op": 6, "d": lost}))
        assert json.loads(await socket.recv()) == {"op": 9, "d": False}
        await socket.send(identify(sandbox))
        assert json.loads(await socket.recv())["t"] == "READY"
        await socket.send(identify(sandbox))
        await socket.wait_closed()
    assert socket.close_code == 4005


async def test_a_bot_with_another_token_is_refused(sandbox: RunningSandbox) -> None:
    sandbox.control.chaos("discord", revoke=True)
    bot = hikari.GatewayBot(sandbox.settings.discord_bot_token, rest_url=api(sandbox), banner=None, logs=None)
    with pytest.raises(hikari.UnauthorizedError):
        await bot.start(check_for_updates=False)
    await bot.close()


async def test_a_token_that_is_refused_from_now_on_ends_its_connections(sandbox: RunningSandbox) -> None:
    async with connect(address(sandbox)) as socket:
        await socket.recv()
        await socket.send(identify(sandbox))
        await socket.recv()
        sandbox.control.chaos("discord", revoke=True)
        await socket.wait_closed()
    assert socket.close_code == 4004


async def test_a_gateway_that_fails_is_tried_again(sandbox: RunningSandbox) -> None:
    sandbox.control.chaos("discord", error_rate=1, count=1, match="GET /gateway")
    async with gateway_bot(sandbox):
        assert [s["connected"] for s in sessions(sandbox)] == [True]
