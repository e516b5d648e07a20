"""The bot as operators run it, `python -m bot`: killed, told to stop, without Discord, without a database."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from app.dev.process import die_with_parent
from app.settings import Settings
from bot.answering import OUR_SIDE
from e2e.support.platform import free_port
from tests.booking.support import Desk
from tests.bot.conftest import TOKEN
from tests.bot.wire import Wire, with_discord
from tests.cast import Cast
from tests.support.processes import PROJECT, environment_of, kill, running, until
from tests.support.sandbox import Control, RunningSandbox, running_sandbox

NOWHERE = "postgresql://nobody@127.0.0.1:9/nothing"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    """A sandbox that no bot has known before."""
    with running_sandbox(tmp_path) as sandbox:
        yield sandbox


@pytest.fixture
def wire(sandbox: RunningSandbox, cast: Cast) -> Wire:
    return Wire(sandbox)


async def ready(control: Control) -> None:
    """The bot is at the gateway, and its commands are registered."""

    async def is_there() -> bool:
        gateway = control.call("GET", "/discord/gateway")["items"]
        commands = control.call("GET", "/discord/commands")["items"]
        return bool(commands) and [one["connected"] for one in gateway] == [True]

    await until("the bot is at the gateway", is_there)


async def test_a_menu_works_after_the_bots_crash(settings: Settings, wire: Wire, desk: Desk) -> None:
    given = with_discord(settings, wire.sandbox)
    async with running(given, "bot") as program:
        await ready(wire.sandbox.control)
        menus = await wire.pick("student", await wire.type("student", "book"), "book.day")
        await kill(program)
    async with running(given, "bot"):

        async def is_answered() -> bool:
            return [one["connected"] for one in wire.sessions()].count(True) == 1

        await until("the next bot is at the gateway", is_answered)
        assert (await wire.pick("student", menus, "book.time")).text.startswith("Booked: ")
    assert len(await desk.scheduled()) == 1


async def test_told_to_stop_it_hangs_up(settings: Settings, wire: Wire) -> None:
    async with running(with_discord(settings, wire.sandbox), "bot") as program:
        await ready(wire.sandbox.control)
        program.send_signal(signal.SIGTERM)
        async with asyncio.timeout(8):
            assert await program.wait() == 0
    assert wire.sessions() == []


async def test_a_database_that_is_away_is_said_in_words(settings: Settings, wire: Wire) -> None:
    away = replace(settings, database_url=NOWHERE, database_service_url=NOWHERE)
    async with running(with_discord(away, wire.sandbox), "bot") as program:
        await ready(wire.sandbox.control)
        for command in ("book", "sessions"):
            assert (await wire.type("student", command)).text == OUR_SIDE
        assert program.returncode is None


async def test_it_goes_on_when_the_database_is_back(settings: Settings, wire: Wire, admin_url: str) -> None:
    """As after a restart of PostgreSQL."""
    hang_up = (
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'the bot'"
    )
    async with running(with_discord(settings, wire.sandbox), "bot", PGAPPNAME="the bot"):
        await ready(wire.sandbox.control)
        assert (await wire.type("student", "sessions")).text.startswith("You have nothing booked.")
        async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin:
            row = await (await admin.execute(hang_up)).fetchone()
            assert row is not None
            assert row[0] > 0

        async def is_back() -> bool:
            said = (await wire.type("student", "sessions")).text
            assert said == OUR_SIDE or said.startswith("You have nothing booked.")
            return said != OUR_SIDE

        await until("the bot has a database again", is_back)


@asynccontextmanager
async def speaking(log: Path, env: dict[str, str], *arguments: str) -> AsyncIterator[None]:
    """A program whose lines go to `log`, killed at the end of the block."""
    with log.open("wb") as output:
        command = [sys.executable, "-m", *arguments]
        program = await asyncio.create_subprocess_exec(
            *command,
            cwd=PROJECT,
            env=env,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
        try:
            yield
        finally:
            await kill(program)


async def test_it_waits_for_discord(settings: Settings, tmp_path: Path) -> None:
    """Started before anybody listens there; whoever comes late is found."""
    port, log = free_port(), tmp_path / "bot.log"
    url = f"http://127.0.0.1:{port}/discord/api/v10"
    given = replace(
        settings, discord_bot_token=TOKEN, discord_url=url, discord_guild_id="1000000000000000002"
    )

    async def says(words: str) -> bool:
        return words in log.read_text()

    async with speaking(log, environment_of(given), "bot"):
        await until("the bot looks for Discord", lambda: says("Discord can't be reached"))
        env = {**os.environ, "SANDBOX_PORT": str(port), "DATA_DIR": str(tmp_path)}
        async with speaking(tmp_path / "sandbox.log", env, "sandbox"):
            await until("the bot is connected", lambda: says("connected to Discord"))
    assert not await says("Traceback")


async def test_a_token_that_is_refused_ends_it(settings: Settings, sandbox: RunningSandbox) -> None:
    other = sandbox.settings.discord_bot_token.rpartition(".")[0] + ".another"
    wrong = replace(with_discord(settings, sandbox), discord_bot_token=other)
    for given in (wrong, replace(wrong, discord_bot_token="")):
        async with running(given, "bot") as program, asyncio.timeout(90):
            assert await program.wait() == 1
