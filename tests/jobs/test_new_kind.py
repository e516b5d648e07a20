"""A new notification is one entry in the catalogue and one folder of templates: nothing else is touched here."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from jinja2 import ChoiceLoader, Environment, FileSystemLoader

from app import wiring
from app.accounts import discord
from app.accounts.discord import DiscordAccount
from app.core import clock
from app.core.db import Database
from app.core.models import OutboxEvent
from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.notifications import preferences
from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import BOTH, Anchor, Kind, Timed
from app.notifications.messages import Contact, Message
from app.notifications.models import Channel
from app.settings import Settings
from app.wiring import Platform
from jobs.events import send_notification
from tests.booking.support import Desk
from tests.cast import Cast
from tests.support.sandbox import RunningSandbox

ANA = "200000000000000001"  # the student's account on Discord
TEA = Kind(
    "tea_is_ready",
    "Tea is ready",
    "2 h before a session",
    BOTH,
    key=("session_id", "version"),
    timed=Timed(Anchor.SESSION, -timedelta(hours=2), timedelta(hours=1)),
)
FOLDER = {
    "subject.txt": "Tea with {{ other_name }} at {{ start|time_in(zone) }}",
    "body.txt": '{% extends "mail/layout.txt" %}{% block body %}\nIt is hot.\n\nDrink it: {{ link }}\n{% endblock %}',
    "body.html": '{% extends "mail/layout.html" %}{% block title %}Tea{% endblock %}{% block body %}Hot{% endblock %}',
}


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """The folder of the new kind."""
    folder = tmp_path / "mail" / TEA.name
    folder.mkdir(parents=True)
    for name, text in FOLDER.items():
        (folder / name).write_text(text)
    return tmp_path


@pytest.fixture
async def platform(
    settings: Settings, database: Database, sandbox: RunningSandbox, templates: Path
) -> AsyncIterator[Platform]:
    """The platform with the folder among its templates, all its vendors in the sandbox."""
    addressed = dataclasses.replace(
        settings,
        resend_url=f"{sandbox.url}/resend",
        discord_url=f"{sandbox.url}/discord/api/v10",
        discord_bot_token=sandbox.settings.discord_bot_token,
    )
    built = wiring.build(addressed)
    for environment in (built.mailer.templates, built.messenger.templates):
        also(environment, templates)
    yield dataclasses.replace(built, database=database)
    await built.close()


def also(environment: Environment, folder: Path) -> None:
    assert environment.loader is not None
    environment.loader = ChoiceLoader([environment.loader, FileSystemLoader(folder)])


async def link(database: Database, sandbox: RunningSandbox, cast: Cast) -> None:
    sandbox.control.discord_member(ANA)
    async with database.service(ServiceDoor.SEED) as uow:
        await discord.link(uow, cast.principal("student"), DiscordAccount(ANA, "ana"))
        await uow.commit()


async def scheduled(database: Database) -> OutboxEvent:
    """The event of the new kind."""
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(OutboxEvent).where(OutboxEvent.payload["kind"].astext == TEA.name)
        return (await uow.session.scalars(query)).one()


async def test_a_timed_kind_is_an_entry_and_a_folder(
    platform: Platform, cast: Cast, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CATALOGUE, TEA.name, TEA)
    await link(platform.database, sandbox, cast)
    desk = Desk(platform.database, platform.google, cast)
    start = (await desk.offers("student"))[-1]
    await desk.book("student", start)

    event = await scheduled(platform.database)
    assert event.available_at == start - timedelta(hours=2), "scheduled"

    with clock.standing_at(event.available_at):
        await send_notification(platform, Event(event.id, event.type, event.payload, 1))
    (mail,) = sandbox.control.mailbox(cast.email("student"))
    assert mail["subject"].startswith("Tea with Mentor at "), "composed by its anchor, sent as mail"
    assert "It is hot." in mail["text"]
    assert "Hello Student," in mail["text"]
    assert "List-Unsubscribe" in mail["headers"]
    assert len(sandbox.control.mailbox(cast.email("mentor"))) == 1
    (direct,) = sandbox.control.discord_messages(ANA)
    assert direct["content"] == f"**Tea with Mentor at <t:{int(start.timestamp())}:t>**\n\nIt is hot."
    assert direct["components"][0]["components"][0]["label"] == "Drink it"

    for role in (Role.STUDENT, Role.MENTOR):
        shown = [kind for topic in preferences.kinds_for(role) for kind in topic.kinds]
        assert TEA in shown, "shown in settings"
    assert TEA not in [kind for topic in preferences.kinds_for(Role.ADMIN) for kind in topic.kinds]
    async with platform.database.unit_of_work(cast.principal("student")) as uow:
        await preferences.choose(uow, Role.STUDENT, list(Channel), [])
        assert (TEA.name, Channel.DISCORD) in await preferences.turned_off(uow, cast["student"])


async def test_it_is_told_nobody_once_its_session_is_off(
    platform: Platform, cast: Cast, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CATALOGUE, TEA.name, TEA)
    desk = Desk(platform.database, platform.google, cast)
    start = (await desk.offers("student"))[-1]
    booked = await desk.book("student", start)
    await desk.cancel("student", booked.session.id)
    event = await scheduled(platform.database)
    with clock.standing_at(event.available_at):
        await send_notification(platform, Event(event.id, event.type, event.payload, 1))
    assert sandbox.control.mailbox() == []


async def test_words_of_its_own_for_discord_win(
    platform: Platform, cast: Cast, monkeypatch: pytest.MonkeyPatch, templates: Path
) -> None:
    monkeypatch.setitem(CATALOGUE, TEA.name, TEA)
    own = templates / "mail" / TEA.name / "discord.md"
    own.write_text("# Tea!\n{{ other_name }} pours.\n\nDrink it: {{ link }}\n")
    from_folder = platform.messenger.write(
        TEA.name,
        Message(cast["student"], "", {"other_name": "*Ana*", "link": "http://127.0.0.1:8000/tea"}),
        Contact(ANA),
    )
    assert from_folder["content"] == "# Tea!\n\\*Ana\\* pours."
    assert from_folder["button"] == {"label": "Drink it", "url": "http://127.0.0.1:8000/tea"}
