"""The link in mails that turns their kind off: for whoever has it, signed in or not, and for nobody else."""

from __future__ import annotations

import dataclasses
import re
import string
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.accounts.models import User
from app.accounts.unsubscribing import hidden
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.notifications import preferences, unsubscribe
from app.notifications.catalogue import CATALOGUE
from app.notifications.models import Channel
from app.settings import Settings
from tests.accounts.conftest import Open, path_of
from tests.cast import Cast

KIND = "session_booked"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
OPTIONAL = [name for name, kind in CATALOGUE.items() if kind.optional]
ALWAYS = [name for name, kind in CATALOGUE.items() if not kind.optional]


async def off(database: Database, user_id: UUID) -> set[tuple[str, Channel]]:
    async with database.service(ServiceDoor.JOB) as uow:
        return await preferences.turned_off(uow, user_id)


@pytest.fixture
def link(fast: Settings, cast: Cast) -> str:
    """The path in a mail to the student."""
    return path_of(unsubscribe.address(fast, cast["student"], KIND))


@pytest.mark.parametrize("name", OPTIONAL)
def test_the_head_of_a_mail_names_the_way_out(fast: Settings, cast_id: UUID, name: str) -> None:
    headers = unsubscribe.headers_for(fast, cast_id, name)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = headers["List-Unsubscribe"]
    assert re.fullmatch(r"<http://127\.0\.0\.1:8000/unsubscribe/[\w.-]+>", address)
    choice = unsubscribe.read(fast, address[1:-1].rpartition("/")[2])
    assert choice is not None
    assert (choice.user_id, choice.kind.name, choice.channel) == (cast_id, name, Channel.EMAIL)
    way_out = unsubscribe.footer_for(fast, cast_id, name)["way_out"]
    assert (way_out["about"], f"<{way_out['link']}>") == (CATALOGUE[name].about, address)


@pytest.mark.parametrize("name", ALWAYS)
def test_what_always_comes_has_no_way_out(fast: Settings, cast_id: UUID, name: str) -> None:
    assert unsubscribe.headers_for(fast, cast_id, name) == {}
    assert unsubscribe.footer_for(fast, cast_id, name) == {"way_out": None}
    assert unsubscribe.read(fast, unsubscribe.token(fast, cast_id, name)) is None


@pytest.fixture
def cast_id() -> UUID:
    return new_id()


def test_a_changed_token_is_nobodys(fast: Settings, cast_id: UUID) -> None:
    token = unsubscribe.token(fast, cast_id, KIND)
    user, kind, channel, signature = token.split(".")
    other = unsubscribe.token(fast, new_id(), KIND).split(".")[0]
    for changed in (
        f"{other}.{kind}.{channel}.{signature}",
        f"{user}.session_moved.{channel}.{signature}",
        f"{user}.{kind}.discord.{signature}",
        f"{user}.{kind}.{channel}.{signature[:-1]}",
        f"{user}.{kind}.{channel}.{'A' * 43}",
        f"{user}.{kind}.{channel}",
        f"{user}.nonsense.{channel}.{signature}",
        token + "=",
        token.upper(),
        "é" * 22 + token[22:],
        "",
    ):
        assert unsubscribe.read(fast, changed) is None, changed
    # Every last letter: of those that decode to the same bytes only the one that was signed counts.
    letters = string.ascii_letters + string.digits + "-_"
    assert sum(unsubscribe.read(fast, token[:-1] + letter) is not None for letter in letters) == 1
    assert unsubscribe.read(dataclasses.replace(fast, secret_key="another"), token) is None
    assert unsubscribe.read(fast, token) is not None


async def test_looking_changes_nothing(browsers: Open, database: Database, cast: Cast, link: str) -> None:
    page = await (await browsers()).get(link)
    assert page.status_code == 200
    assert "A session was booked" in page.text
    assert "s…@example.test" in page.text
    assert cast.email("student") not in page.text
    assert "<form" in page.text
    assert await off(database, cast["student"]) == set()


async def test_the_button_turns_it_off_and_undo_on(
    browsers: Open, database: Database, cast: Cast, link: str
) -> None:
    browser = await browsers()
    for _ in range(2):
        done = await browser.post(link, ONE_CLICK, csrf=False)
        assert (done.status_code, "Turned off" in done.text) == (200, True)
        assert await off(database, cast["student"]) == {(KIND, Channel.EMAIL)}
    assert "Turned off" in (await browser.get(link)).text
    for _ in range(2):
        undone = await browser.post(f"{link}/return", csrf=False)
        assert (undone.status_code, "As before" in undone.text) == (200, True)
        assert await off(database, cast["student"]) == set()


async def test_a_mail_program_needs_no_cookie(
    browsers: Open, database: Database, cast: Cast, link: str
) -> None:
    """RFC 8058: the two words as a form, in either way of writing it, and nothing else."""
    program = (await browsers()).http
    for form in ({"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}):
        async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
            await preferences.turn_on(uow, cast["student"], [(KIND, Channel.EMAIL)])
        answer = await program.post(link, **form)
        assert answer.status_code == 200
        assert await off(database, cast["student"]) == {(KIND, Channel.EMAIL)}


@pytest.mark.parametrize("form", [{}, {"List-Unsubscribe": ""}, {"List-Unsubscribe": "one-click"}])
async def test_without_the_word_nothing_is_turned_off(
    browsers: Open, database: Database, cast: Cast, link: str, form: dict[str, str]
) -> None:
    answer = await (await browsers()).post(link, form, csrf=False)
    assert (answer.status_code, "Turn these mails off?" in answer.text) == (200, True)
    assert await off(database, cast["student"]) == set()


@pytest.mark.parametrize("who", ["student", "other_student", "mentor", "admin"])
async def test_the_link_is_its_owners_whoever_is_signed_in(
    browsers: Open, database: Database, cast: Cast, link: str, who: str
) -> None:
    browser = await browsers(cast[who])
    await browser.post(link, ONE_CLICK, csrf=False)
    assert await off(database, cast["student"]) == {(KIND, Channel.EMAIL)}
    if who != "student":
        assert await off(database, cast[who]) == set()
        assert (await browser.get("/settings")).status_code == 200


async def test_a_forged_link_and_one_of_a_closed_account_lead_nowhere(
    browsers: Open, database: Database, cast: Cast, fast: Settings, link: str
) -> None:
    browser = await browsers()
    async with database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
        closed = sa.update(User).where(User.id == cast["student"]).values(deleted_at=clock.now())
        await uow.session.execute(closed)
    nobody = path_of(unsubscribe.address(fast, new_id(), KIND))
    for path in (link[:-3] + "abc", link, nobody, "/unsubscribe/nonsense"):
        for answer in (
            await browser.get(path),
            await browser.post(path, ONE_CLICK, csrf=False),
            await browser.post(f"{path}/return", csrf=False),
        ):
            assert (answer.status_code, "leads nowhere" in answer.text) == (404, True)
    assert await off(database, cast["student"]) == set()


@pytest.mark.parametrize(
    ("address", "shown"), [("ada@example.test", "a…@example.test"), ("é@x.test", "é…@x.test")]
)
def test_an_address_is_partly_hidden(address: str, shown: str) -> None:
    assert hidden(address) == shown
