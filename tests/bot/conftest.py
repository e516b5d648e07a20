"""The cast with Discord accounts, and the bot that answers them."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app import wiring
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.settings import Settings
from app.wiring import Platform
from bot.answering import Answering
from bot.main import router
from tests import cast as casting
from tests.booking.support import Desk
from tests.bot.chat import DISCORD, Chat
from tests.cast import Cast

NOWHERE = "http://127.0.0.1:9"
TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAwMQ.sandbox.discord-bot"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def platform(settings: Settings) -> AsyncIterator[Platform]:
    """What the bot works with."""
    given = {"discord_bot_token": TOKEN, "discord_url": f"{NOWHERE}/api/v10", "limits_scale": 1000.0}
    platform = wiring.build(dataclasses.replace(settings, **given))  # type: ignore[arg-type]
    yield platform
    clock.follow("")
    await platform.close()


@pytest.fixture
async def cast(database: Database) -> Cast:
    """The cast, everybody's Discord account linked."""
    cast = await casting.make(database)
    async with database.service(ServiceDoor.SEED) as uow:
        for name, user_id in cast.ids.items():
            await casting.link_discord(uow, user_id, DISCORD[name])
        await uow.commit()
    return cast


@pytest.fixture
def desk(platform: Platform, cast: Cast) -> Desk:
    return Desk(platform.database, platform.google, cast)


@pytest.fixture
def chat(platform: Platform, cast: Cast) -> Chat:
    return Chat(Answering(platform, router()))
