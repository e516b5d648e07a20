"""The card in the settings: nothing without Discord, what one gets, as whom one is linked, closed messages; unlinking."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts import contacts
from app.accounts.models import UserIdentity
from app.core.db import Database
from app.core.rls import ServiceDoor
from tests.accounts.browser import Browser, target
from tests.accounts.conftest import Open
from tests.accounts.discord.test_service import MINE, link, linked
from tests.cast import Cast

UNLINKING = "/settings/discord/disconnection"
INVITE = "/discord"


def card(text: str) -> str:
    """The card alone."""
    found = re.search(r'<section id="discord".*?</section>', text, re.DOTALL)
    return found.group() if found else ""


@pytest.mark.parametrize(
    ("name", "command"),
    [("new_student", "/book"), ("mentor", "/session-completed"), ("admin", "/renewal-reminder")],
)
async def test_what_one_gets(linking: Open, cast: Cast, name: str, command: str) -> None:
    shown = card((await (await linking(cast[name])).get("/settings")).text)
    assert "Not linked" in shown
    assert command in shown
    assert 'href="/auth/discord"' in shown
    assert INVITE in shown
    assert UNLINKING not in shown


async def test_nothing_is_said_where_discord_is_not_configured(
    browsers: Open, database: Database, cast: Cast
) -> None:
    await link(database, cast.principal("student"))
    browser = await browsers(cast["student"])
    assert card((await browser.get("/settings")).text) == ""
    assert "Discord" not in (await browser.get("/dashboard")).text
    for path in ("/auth/discord", "/auth/discord/callback?state=x&code=y"):
        assert (await browser.get(path)).status_code == 404
    assert target(await browser.get(UNLINKING)) == "/settings"


@pytest.mark.parametrize("htmx", [True, False])
async def test_linked_and_unlinked(linking: Open, database: Database, cast: Cast, htmx: bool) -> None:
    await link(database, cast.principal("student"))
    browser = await linking(cast["student"])
    shown = card((await browser.get("/settings")).text)
    assert "maya" in shown
    assert "Linked" in shown
    assert UNLINKING in shown
    asked = await (browser.fragment(UNLINKING) if htmx else browser.get(UNLINKING))
    assert "Unlink maya?" in asked.text
    assert ("<html" in asked.text) is not htmx
    done = await browser.post(UNLINKING, htmx=htmx)
    assert (done.headers["hx-redirect"] if htmx else target(done)) == "/settings"
    assert browser.flashes() == ["Discord is unlinked."]
    assert await linked(database) == {}
    assert "Not linked" in card((await browser.get("/settings")).text)


async def test_a_second_click_finds_nothing_to_unlink(linking: Open, database: Database, cast: Cast) -> None:
    await link(database, cast.principal("student"))
    browser = await linking(cast["student"])
    assert target(await browser.post(UNLINKING)) == "/settings"
    again = await browser.post(UNLINKING)
    assert (again.status_code, "Discord is not linked." in again.text) == (404, True)
    assert target(await browser.get(UNLINKING)) == "/settings"


async def test_closed_messages(linking: Open, database: Database, cast: Cast) -> None:
    await link(database, cast.principal("mentor"))
    async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await contacts.note_direct_messages(uow, MINE.id, takes_messages=False)
    browser = await linking(cast["mentor"])
    shown = card((await browser.get("/settings")).text)
    for words in ("Messages closed", "Privacy Settings", "mails come instead", INVITE):
        assert words in shown
    async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await contacts.note_direct_messages(uow, MINE.id, takes_messages=True)
    assert "Privacy Settings" not in (await browser.get("/settings")).text


async def test_a_name_is_text(linking: Open, database: Database, cast: Cast) -> None:
    await link(database, cast.principal("student"))
    async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await uow.session.execute(sa.update(UserIdentity).values(name="<b>&</b>"))
    browser = await linking(cast["student"])
    for path in ("/settings", UNLINKING):
        text = (await browser.get(path)).text
        assert "&lt;b&gt;&amp;&lt;/b&gt;" in text
        assert "<b>&</b>" not in text


@pytest.mark.parametrize("name", ["anonymous", "student", "other_student", "mentor", "admin"])
async def test_nobody_touches_what_is_somebody_elses(
    linking: Open, database: Database, cast: Cast, name: str
) -> None:
    await link(database, cast.principal("student"))
    browser: Browser = await linking(cast[name] if name != "anonymous" else None)
    answer: Any = await browser.post(UNLINKING)
    expected = {"anonymous": 401, "student": 303}.get(name, 404)
    assert answer.status_code == expected
    assert await linked(database) == ({} if name == "student" else {cast["student"]: MINE.id})


async def test_without_the_forms_token_nothing_happens(linking: Open, database: Database, cast: Cast) -> None:
    await link(database, cast.principal("student"))
    browser = await linking(cast["student"])
    assert (await browser.post(UNLINKING, csrf=False)).status_code == 403
    assert len(await linked(database)) == 1
