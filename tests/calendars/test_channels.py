"""Push channels: opened, renewed before they end, closed, and believed only with their secret."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar

from app.asgi import create_app
from app.calendars import service
from app.calendars.google import Google
from app.core.ids import hash_secret
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests.calendars.world import World, soon, timed

PUBLIC = "https://127.0.0.1:9"  # nobody is there: what Google would post is read from the sandbox's journal
WEBHOOK = "/api/webhooks/google"
SECOND = "studio0shows0and0fairs@group.calendar.google.com"


@pytest.fixture
async def pushed(world: World) -> AsyncIterator[World]:
    """The world of a platform that Google can reach, with a channel open."""
    google = Google(dataclasses.replace(world.google.settings, public_url=PUBLIC))
    pushed = dataclasses.replace(world, google=google)
    await renew(pushed)
    yield pushed
    google.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(google_settings: Settings) -> AsyncIterator[Litestar]:
    app = create_app(dataclasses.replace(google_settings, public_url=PUBLIC, limits_scale=1000.0))
    yield app
    await app.state.database.dispose()


async def renew(world: World) -> None:
    await service.renew_channel(world.database, world.google, world.mentor_id)


def channels(world: World) -> list[dict[str, Any]]:
    """The channels that Google has open."""
    items: list[dict[str, Any]] = world.sandbox.control.call("GET", "/google/channels")["items"]
    return items


async def messages(world: World, state: str, count: int = 1) -> list[dict[str, str]]:
    """The headers of Google's messages of that state, once there are `count`."""
    async with asyncio.timeout(10):
        while True:
            found = [one["headers"] for one in world.sandbox.control.webhooks("google")]
            found = [one for one in found if one["X-Goog-Resource-State"] == state]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def tell(app: Litestar, headers: dict[str, str]) -> int:
    """Post a message as Google does; gives the status."""
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        return (await client.post(WEBHOOK, headers=headers)).status_code


async def test_a_channel_is_opened_with_a_secret_that_is_kept_hashed(pushed: World) -> None:
    (channel,) = channels(pushed)
    assert channel["address"] == PUBLIC + WEBHOOK
    connection = await pushed.connection()
    assert connection is not None
    assert connection.channel_id == channel["id"]
    assert connection.channel_token_hash == hash_secret(channel["token"])
    assert connection.channel_expires_at is not None
    assert connection.channel_expires_at > datetime.now(UTC) + timedelta(days=6)


async def test_the_old_channel_ends_after_the_new_one_is_open(pushed: World) -> None:
    (before,) = channels(pushed)
    await renew(pushed)
    (after,) = channels(pushed)
    assert after["id"] != before["id"]


async def test_which_channels_are_due(pushed: World, world: World) -> None:
    async def due(settings_of: World) -> list[Any]:
        async with world.database.service(ServiceDoor.JOB) as uow:
            return list(await service.channels_due(uow, settings_of.google.settings))

    assert await due(pushed) == []
    await pushed.change(channel_expires_at=datetime.now(UTC) + timedelta(hours=23))
    assert await due(pushed) == [world.mentor_id]
    assert await due(world) == [], "without https nobody gets a channel"
    await pushed.change(channel_id=None, channel_expires_at=None)
    assert await due(pushed) == [world.mentor_id]
    await pushed.change(state="revoked")
    assert await due(pushed) == []


async def test_without_https_no_channel_is_opened(world: World) -> None:
    await renew(world)
    assert channels(world) == []


async def test_a_message_has_the_mirror_read(pushed: World, app: Litestar) -> None:
    event = pushed.sandbox.control.add_event(timed(soon(3)))
    (headers, *_) = await messages(pushed, "exists")
    before = len(await pushed.emitted("calendar/mirror"))
    assert await tell(app, headers) == 204
    told = (await pushed.emitted("calendar/mirror"))[before:]
    assert told == [{"mentor_id": str(pushed.mentor_id)}]
    assert await tell(app, headers) == 204
    assert len(await pushed.emitted("calendar/mirror")) == before + 1, "the same message is heard once"
    await pushed.mirror()
    assert event["id"] in await pushed.windows()


async def test_the_greeting_changes_nothing(pushed: World, app: Litestar) -> None:
    (headers, *_) = await messages(pushed, "sync")
    before = len(await pushed.emitted("calendar/mirror"))
    assert await tell(app, headers) == 204
    assert len(await pushed.emitted("calendar/mirror")) == before


@pytest.mark.parametrize(
    "change",
    [
        {"X-Goog-Channel-ID": "01890000-0000-7000-8000-000000000000"},
        {"X-Goog-Channel-ID": ""},
        {"X-Goog-Channel-Token": "guessed"},
        {"X-Goog-Channel-Token": ""},
        {"X-Goog-Channel-ID": None},
        {"X-Goog-Channel-Token": None},
    ],
)
async def test_other_messages_are_not_found(
    pushed: World, app: Litestar, change: dict[str, str | None]
) -> None:
    pushed.sandbox.control.add_event(timed(soon(3)))
    (headers, *_) = await messages(pushed, "exists")
    forged = {name: value for name, value in {**headers, **change}.items() if value is not None}
    before = len(await pushed.emitted("calendar/mirror"))
    assert await tell(app, forged) == 404
    assert len(await pushed.emitted("calendar/mirror")) == before


async def test_messages_of_an_ended_channel_are_not_found(pushed: World, app: Litestar) -> None:
    (headers, *_) = await messages(pushed, "sync")
    await service.disconnect(pushed.database, pushed.google, pushed.mentor_id)
    assert channels(pushed) == []
    assert await tell(app, headers) == 404


async def test_another_calendar_ends_the_channel(pushed: World) -> None:
    await service.choose_calendar(pushed.database, pushed.google, pushed.mentor_id, SECOND)
    assert channels(pushed) == []
    connection = await pushed.connection()
    assert connection is not None
    assert connection.channel_id is None
    await renew(pushed)
    assert [channel["calendar"] for channel in channels(pushed)] == [SECOND]


async def test_an_address_that_google_refuses_leaves_polling(world: World) -> None:
    """The sandbox takes http addresses in tests; an address without a host is refused as Google would."""
    google = Google(dataclasses.replace(world.google.settings, public_url="https://"))
    await service.renew_channel(world.database, google, world.mentor_id)
    assert channels(world) == []
    connection = await world.connection()
    assert connection is not None
    assert connection.channel_id is None
    google.close()


async def test_a_revoked_grant_gets_no_channel(pushed: World) -> None:
    pushed.sandbox.control.chaos("google", revoke=True)
    await renew(pushed)
    assert len(await pushed.told()) == 1


async def test_two_renewals_at_once_leave_one_channel(pushed: World) -> None:
    await asyncio.gather(*(renew(pushed) for _ in range(4)))
    (channel,) = channels(pushed)
    connection = await pushed.connection()
    assert connection is not None
    assert connection.channel_id == channel["id"]
