"""The bot at the sandbox's gateway: every command for everybody, races, dropped connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from app import wiring
from app.core import clock
from app.settings import Settings
from bot.answering import OUR_SIDE, UNLINKED
from bot.gateway import Bot
from bot.main import router
from tests.booking.support import Desk
from tests.bot.chat import DISCORD
from tests.bot.test_access import COMMANDS
from tests.bot.wire import Wire, with_discord
from tests.cast import ROLES, Cast
from tests.support.processes import until
from tests.support.sandbox import RunningSandbox, running_sandbox

NAMES = sorted(name for names in COMMANDS.values() for name in names)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def connected(settings: Settings, sandbox: RunningSandbox) -> AsyncIterator[Bot]:
    """The bot, ready at the gateway."""
    platform = wiring.build(with_discord(settings, sandbox))
    bot = Bot(platform, router())
    await bot.start()
    yield bot
    await bot.close()
    clock.follow("")
    await platform.close()


@pytest.fixture
def wire(connected: Bot, sandbox: RunningSandbox, cast: Cast) -> Wire:
    return Wire(sandbox)


def test_commands_are_registered_on_the_server(wire: Wire) -> None:
    items = wire.sandbox.control.call("GET", "/discord/commands")["items"]
    assert sorted(item["name"] for item in items) == NAMES
    assert {item["guild_id"] for item in items} == {wire.sandbox.settings.discord_guild_id}


@pytest.mark.parametrize("who", ["student", "new_student", "mentor", "admin", "nobody"])
async def test_every_command_answers_everybody_in_private(wire: Wire, who: str) -> None:
    for role, names in COMMANDS.items():
        for name in names:
            answer = await wire.type(who, name)
            assert answer.private
            assert answer.text
            assert answer.text != OUR_SIDE
            assert (answer.text == UNLINKED) == (who == "nobody")
            if who != "nobody":
                assert answer.text.startswith("That is for ") == (ROLES[who] is not role)


async def test_three_menus_book_what_the_platform_then_holds(wire: Wire, desk: Desk, cast: Cast) -> None:
    start = (await desk.offers("student"))[0]
    menus = await wire.type("student", "book")
    menus = await wire.pick("student", menus, "book.mentor")
    menus = await wire.pick("student", menus, "book.day")
    done = await wire.pick("student", menus, "book.time")
    assert done.text.startswith(f"Booked: <t:{int(start.timestamp())}:F> with **Mentor**.")
    assert done.id == menus.id
    (session,) = await desk.scheduled()
    assert (session.scheduled_at, session.student_id) == (start, cast["student"])
    assert f"<t:{int(start.timestamp())}:F>" in (await wire.type("student", "sessions")).text


async def test_two_people_race_and_one_wins(wire: Wire, desk: Desk) -> None:
    await desk.grant("other_student", sessions=2)
    people = ("student", "other_student")
    await desk.sql("update users set time_zone = 'Europe/Lisbon'")
    menus = [await wire.type("student", "book")]
    menus.append(
        await wire.pick(
            "other_student", await wire.type("other_student", "book"), "book.mentor", desk.cast["mentor"].hex
        )
    )
    day = menus[0].menu("book.day")["options"][1]["value"]
    times = [await wire.pick(who, menu, "book.day", day) for who, menu in zip(people, menus, strict=True)]
    time = times[0].menu("book.time")["options"][0]["value"]
    answers = await asyncio.gather(
        *(wire.pick(who, menu, "book.time", time) for who, menu in zip(people, times, strict=True))
    )
    won, lost = sorted(answers, key=lambda answer: not answer.text.startswith("Booked: "))
    assert won.text.startswith("Booked: ")
    assert lost.text.startswith("**That time was just taken.**")
    assert time not in [option["value"] for option in lost.menu("book.time")["options"]]
    loser = people[answers.index(lost)]
    assert (await wire.pick(loser, lost, "book.time")).text.startswith("Booked: ")
    assert len(await desk.scheduled()) == 2


@pytest.mark.parametrize("how", [{}, {"reconnect": True}, {"resumable": False}], ids=str)
async def test_a_dropped_connection_is_taken_up_again(wire: Wire, how: dict[str, bool]) -> None:
    menus = await wire.type("student", "book")
    (before,) = wire.sessions()
    wire.drop(**how)

    async def is_back() -> bool:
        return [one["connected"] for one in wire.sessions()] == [True]

    if how.get("resumable") is False:
        await until("the bot is back", is_back)
    assert (await wire.pick("student", menus, "book.day")).menu("book.time")["options"]
    (after,) = wire.sessions()
    assert (after["session"] == before["session"]) == (how.get("resumable") is not False)


async def test_an_admin_names_a_member(wire: Wire, cast: Cast) -> None:
    answer = await wire.type("admin", "pack-purchased", member=DISCORD["student"])
    assert answer.text.startswith("The confirmation of the pack is sent again: **Student** with **Mentor**.")


async def test_who_joins_the_server_has_their_role_looked_at(wire: Wire, desk: Desk, cast: Cast) -> None:
    async def events() -> list[str]:
        rows = await desk.sql("select payload from outbox where type = 'discord/role'")
        return [row.payload["user_id"] for row in rows]

    before = len(await events())
    for who in ("nobody", "student"):
        wire.sandbox.control.discord_member(DISCORD[who], here=False)
        wire.sandbox.control.discord_member(DISCORD[who], here=True)

    async def is_told() -> bool:
        return len(await events()) > before

    await until("the role is looked at", is_told)
    assert (await events())[before:] == [str(cast["student"])]
