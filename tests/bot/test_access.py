"""Every command for everybody: who is who is the platform's to say, whatever Discord thinks of them."""

from __future__ import annotations

import pytest

from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.wiring import Platform
from bot.answering import GONE, UNLINKED
from bot.custom_ids import STALE, write
from bot.main import router
from tests.booking.support import Desk
from tests.bot.chat import Chat, links
from tests.cast import ROLES, Cast

COMMANDS = {
    Role.STUDENT: {"sessions", "next", "book", "cancel", "packs", "renew"},
    Role.MENTOR: {"today", "students", "session-completed", "no-show"},
    Role.ADMIN: {"pack-purchased", "renewal-reminder", "grace-warning"},
}
PEOPLE = ("student", "new_student", "mentor", "admin")


def test_the_commands_are_those_that_were_agreed() -> None:
    found = router().commands.values()
    assert {role: {one.name for one in found if one.role is role} for role in Role} == COMMANDS


@pytest.mark.parametrize("who", PEOPLE)
async def test_commands_answer_their_role_and_nobody_else(chat: Chat, who: str) -> None:
    own = ROLES[who]
    for role, names in COMMANDS.items():
        for name in names:
            said = (await chat.type(who, name)).text
            assert said.startswith("That is for ") == (role is not own), (name, said)


@pytest.mark.parametrize("who", PEOPLE)
async def test_menus_and_buttons_answer_their_role_and_nobody_else(chat: Chat, who: str) -> None:
    for name, action in router().actions.items():
        said = (await chat.use(who, write(name), "x")).text
        assert said.startswith("That is for ") == (action.role is not ROLES[who]), (name, said)


async def test_a_stranger_is_told_how_to_link(chat: Chat, platform: Platform) -> None:
    for names in COMMANDS.values():
        for name in names:
            reply = await chat.type("nobody", name)
            assert reply.text == UNLINKED
            assert links(reply) == [f"{platform.settings.public_url}/settings#discord"]


async def test_a_deleted_account_is_a_stranger(chat: Chat, desk: Desk, cast: Cast) -> None:
    await desk.sql("update users set deleted_at = now() where id = :id", id=cast["student"])
    assert (await chat.type("student", "book")).text == UNLINKED
    assert (await chat.use("student", "cancel.keep")).text == UNLINKED


async def test_a_new_role_counts_at_once(chat: Chat, desk: Desk, cast: Cast) -> None:
    assert not (await chat.type("new_student", "sessions")).text.startswith("That is for")
    await desk.sql("update users set role = 'admin' where id = :id", id=cast["new_student"])
    assert (await chat.type("new_student", "sessions")).text.startswith("That is for students.")


async def test_an_unlinked_account_is_a_stranger(chat: Chat, desk: Desk, cast: Cast) -> None:
    assert (await chat.type("student", "next")).text != UNLINKED
    await desk.sql("delete from user_identities where user_id = :id", id=cast["student"])
    assert (await chat.type("student", "next")).text == UNLINKED


NONSENSE = (
    "",
    ":",
    "x",
    "book",
    "book.day",
    "book.day:x",
    "book.day:x:1",
    "book.time:%",
    "mark",
    "mark:",
    "again:x:y",
)
FORGED = (*NONSENSE, "book.time:" + "0" * 32, "cancel.do:" + "f" * 32 + ":7", "é" * 50, "book.times:::::")
PICKED = ((), ("",), ("x",), ("1", "2"), ("9" * 30,), ("-1",), ("0001-01-01",), ("9999999999",))


@pytest.mark.parametrize("who", ["student", "mentor", "admin"])
async def test_nonsense_gets_a_sentence(chat: Chat, who: str) -> None:
    for custom_id in FORGED:
        for picked in PICKED:
            said = (await chat.use(who, custom_id, *picked)).text
            assert said in (STALE, GONE) or said.startswith(("That is for ", "**")), (custom_id, picked, said)


async def test_a_command_that_is_no_more(chat: Chat) -> None:
    assert (await chat.type("student", "dance")).text == STALE


async def test_every_transaction_is_the_askers(
    chat: Chat, platform: Platform, desk: Desk, cast: Cast
) -> None:
    """Row-level security under everything: what the bot reads for a student holds nobody else's sessions."""
    start = (await desk.offers("other_student", "other_mentor"))[0]
    booked = (await desk.book("other_student", start, mentor="other_mentor")).session
    assert (await chat.type("student", "sessions")).text.startswith("You have nothing booked.")
    assert (await chat.use("student", "cancel.pick", booked.id.hex)).text == GONE
    assert (await chat.use("student", write("cancel.do", booked.id, 0))).text == GONE
    async with platform.database.service(ServiceDoor.JOB):
        assert (await desk.session(booked.id)).status == "scheduled"
