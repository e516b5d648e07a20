"""What reaches a person is theirs to choose, kind by kind and channel by channel, but for what always comes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import ProgrammingError

from app.accounts import discord
from app.accounts.discord import DiscordAccount
from app.asgi import create_app
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.notifications import preferences
from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import EVERYBODY, STUDENT, Kind
from app.notifications.models import Channel, NotificationOptOut
from app.notifications.preferences import Pair
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.accounts.conftest import Open
from tests.cast import Cast

EMAIL, DISCORD = Channel.EMAIL, Channel.DISCORD
BOOKED, MOVED = "session_booked", "session_moved"


def names(role: Role) -> list[str]:
    """What somebody of the role may turn off."""
    return [kind.name for topic in preferences.kinds_for(role) for kind in topic.kinds]


@pytest.mark.parametrize("role", list(Role))
def test_everybody_chooses_among_their_own_kinds(role: Role) -> None:
    wanted = {kind.name for kind in CATALOGUE.values() if kind.optional and role in kind.to}
    assert set(names(role)) == wanted
    assert len(names(role)) == len(wanted)


def test_topics_have_no_empty_ones() -> None:
    assert [topic.title for topic in preferences.kinds_for(Role.STUDENT)][:2] == ["Sessions", "Packs"]
    assert all(topic.kinds for role in Role for topic in preferences.kinds_for(role))
    assert names(Role.ADMIN) == []


def test_a_new_kind_is_there_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = Kind("tea_is_ready", "Tea is ready", "it is", STUDENT)
    monkeypatch.setitem(CATALOGUE, "tea_is_ready", kind)
    assert preferences.kinds_for(Role.STUDENT)[-1] == preferences.Topic("More", [kind])
    assert "tea_is_ready" not in names(Role.MENTOR)


async def off(database: Database, user_id: UUID) -> set[Pair]:
    async with database.service(ServiceDoor.JOB) as uow:
        return await preferences.turned_off(uow, user_id)


def ticked(text: str) -> set[str]:
    """What the form would send."""
    boxes = re.findall(r'<input type="checkbox" name="wanted" value="([^"]+)"( checked)?>', text)
    return {value for value, checked in boxes if checked}


async def save(
    browser: Browser, wanted: set[str], shown: tuple[str, ...] = ("email",), htmx: bool = False
) -> Any:
    """Send the form as a browser does: what is ticked, and which columns there were."""
    if "csrftoken" not in browser.http.cookies:
        await browser.get("/privacy")
    form = {"wanted": sorted(wanted), "shown": list(shown), "_csrf_token": browser.http.cookies["csrftoken"]}
    headers = {"HX-Request": "true"} if htmx else {}
    return await browser.http.post("/settings/notifications", data=form, headers=headers)


@pytest.mark.parametrize("htmx", [False, True])
async def test_what_is_not_ticked_is_turned_off(
    browsers: Open, database: Database, ada: UUID, htmx: bool
) -> None:
    browser = await browsers(ada)
    everything = ticked((await browser.get("/settings")).text)
    assert {value.partition(":")[0] for value in everything} == set(names(Role.STUDENT))
    for wanted in (everything - {"session_booked:email"}, everything, everything - {"session_moved:email"}):
        answer = await save(browser, wanted, htmx=htmx)
        if htmx:
            assert (answer.status_code, answer.text.strip()) == (200, "Saved")
        else:
            assert target(answer) == "/settings"
        assert ticked((await browser.get("/settings")).text) == wanted
    assert await off(database, ada) == {(MOVED, EMAIL)}


async def test_saving_twice_changes_nothing_more(browsers: Open, database: Database, ada: UUID) -> None:
    browser = await browsers(ada)
    for _ in range(2):
        await save(browser, set())
    assert {kind for kind, _ in await off(database, ada)} == set(names(Role.STUDENT))


async def test_what_always_comes_can_not_be_turned_off(browsers: Open, database: Database, ada: UUID) -> None:
    browser = await browsers(ada)
    text = (await browser.get("/settings")).text
    assert "always reach you" in text
    await save(browser, set())
    turned = {kind for kind, _ in await off(database, ada)}
    assert not turned & {kind.name for kind in CATALOGUE.values() if not kind.optional}
    assert not any(f'value="{kind.name}:' in text for kind in CATALOGUE.values() if not kind.optional)


async def test_odd_forms_change_what_is_theirs_or_nothing(
    browsers: Open, database: Database, ada: UUID
) -> None:
    browser = await browsers(ada)
    everything = ticked((await browser.get("/settings")).text)
    odd = {"nonsense:email", "session_booked:fax", "session_booked", ":", "\x00", "calendar_revoked:email"}
    assert (await save(browser, everything | odd, shown=("email", "fax"))).status_code == 303
    assert await off(database, ada) == set()
    assert (await save(browser, set(), shown=())).status_code == 303
    assert await off(database, ada) == set(), "no column was shown, so none was decided about"


@pytest.fixture
async def with_discord(fast: Settings, database: Database) -> AsyncIterator[Any]:
    """The application where Discord accounts can be linked."""
    app = create_app(
        dataclasses.replace(fast, discord_bot_token="a.b.c", discord_client_id="1", discord_client_secret="x")
    )
    yield app
    await app.state.platform.close()


async def test_discord_is_a_column_where_it_can_be_linked(
    browsers: Open, with_discord: Any, database: Database, ada: UUID
) -> None:
    signed_in = await browsers(ada)
    assert "session_booked:discord" not in (await signed_in.get("/settings")).text
    browser = Browser(with_discord)
    browser.carry(str(signed_in.cookie("session")))
    async with browser.http:
        text = (await browser.get("/settings")).text
        assert {"session_booked:email", "session_booked:discord"} <= ticked(text)
        assert "begin once your account there is linked" in text
        everything = ticked(text)
        await save(browser, everything - {"session_booked:discord"}, ("email", "discord"))
        assert await off(database, ada) == {(BOOKED, DISCORD)}
        async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
            await discord.link(uow, Principal(ada, Role.STUDENT), DiscordAccount("200000000000000001", "ada"))
        text = (await browser.get("/settings")).text
        assert "begin once your account there is linked" not in text
        assert ticked(text) == everything - {"session_booked:discord"}
    await save(signed_in, {value for value in everything if value.endswith(":email")})
    assert await off(database, ada) == {(BOOKED, DISCORD)}, "a column that isn't shown stays as it was"


def test_what_is_for_mails_alone_has_no_tick_for_discord() -> None:
    assert all(kind.channels == (EMAIL,) for kind in CATALOGUE.values() if kind.to == EVERYBODY)


@pytest.mark.parametrize("who", ["other_student", "mentor", "admin"])
async def test_the_database_alone_keeps_choices_their_owners(
    database: Database, cast: Cast, who: str
) -> None:
    student = cast["student"]
    async with database.unit_of_work(cast.principal("student")) as uow:
        await preferences.turn_off(uow, student, [(BOOKED, EMAIL)])
        await uow.commit()
    async with database.unit_of_work(cast.principal(who)) as uow:
        assert await preferences.turned_off(uow, student) == ({(BOOKED, EMAIL)} if who == "admin" else set())
        await preferences.turn_on(uow, student, [(BOOKED, EMAIL)])
        await uow.commit()
        row = {"user_id": student, "kind": MOVED, "channel": EMAIL, "since": clock.now()}
        with pytest.raises(ProgrammingError) as refused:
            await uow.session.execute(sa.insert(NotificationOptOut).values(row))
        assert isinstance(refused.value.orig, InsufficientPrivilege)
    assert await off(database, student) == {(BOOKED, EMAIL)}


async def test_nobody_signed_in_chooses_nothing(browsers: Open) -> None:
    browser = await browsers()
    assert (await save(browser, set())).status_code in (303, 401)
