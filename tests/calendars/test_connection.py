"""Connecting, reconnecting, disconnecting, choosing: what is kept, given back, started over, announced."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any
from uuid import uuid4

import pytest

from app.accounts import oauth
from app.calendars import grants, service
from app.calendars.google import SCOPES, Google
from app.calendars.models import CalendarState
from app.calendars.service import EventToWrite
from app.core import crypto
from app.core.errors import Invalid, NotFound, Refused, Unavailable
from app.core.rls import ServiceDoor
from tests.calendars.world import LateGoogle, World, soon, timed
from tests.support.sandbox import CALENDAR, MENTOR

SECOND = "studio0shows0and0fairs@group.calendar.google.com"
TOKYO = "mentor-tokyo@example.test"


async def connect(world: World, address: str = MENTOR, **change: Any) -> None:
    tokens = world.sandbox.google_tokens(address, SCOPES)
    values: dict[str, Any] = {
        "google_email": address,
        "refresh_token": tokens["refresh_token"],
        "scopes": tokens["scope"].split(),
    }
    await service.connect(world.database, world.google, world.mentor_id, **(values | change))


async def choose(world: World, calendar_id: str) -> None:
    await service.choose_calendar(world.database, world.google, world.mentor_id, calendar_id)


async def write(world: World) -> EventToWrite:
    event = EventToWrite(uuid4(), 0, 0, "Session", "", soon(3), soon(3, 10))
    await service.write_event(world.database, world.google, world.mentor_id, event)
    return event


def test_what_is_asked_for_is_what_is_needed() -> None:
    assert set(SCOPES) <= set(oauth.PURPOSES["calendar"].scopes)


async def test_the_grant_is_kept_encrypted(world: World) -> None:
    connection = await world.connection()
    assert connection is not None
    token = world.google.cipher.decrypt(connection.google_refresh_token)
    assert token.startswith("1//")
    assert token.encode() not in connection.google_refresh_token
    assert (connection.google_email, connection.google_calendar_id) == (MENTOR, MENTOR)
    assert connection.calendars == [[MENTOR, MENTOR], [SECOND, "Shows and fairs"]]


async def test_jobs_follow(world: World) -> None:
    payload = {"mentor_id": str(world.mentor_id)}
    assert await world.emitted("calendar/mirror") == [payload]
    assert await world.emitted("calendar/reconnected") == [payload]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"refresh_token": None}, "google_refresh_token_missing"),
        ({"refresh_token": ""}, "google_refresh_token_missing"),
        ({"scopes": SCOPES[:1]}, "google_scope_missing"),
        ({"scopes": SCOPES[1:]}, "google_scope_missing"),
        ({"scopes": []}, "google_scope_missing"),
        ({"refresh_token": "1//nonsense"}, "google_revoked"),
    ],
)
async def test_what_is_missing_is_explained_and_changes_nothing(
    world: World, change: dict[str, Any], code: str
) -> None:
    before = await world.connection()
    with pytest.raises(Refused) as caught:
        await connect(world, TOKYO, **change)
    assert caught.value.code == code
    after = await world.connection()
    assert before is not None
    assert after is not None
    assert after.google_email == MENTOR
    assert after.connected_at == before.connected_at


async def test_broader_scopes_will_do(world: World) -> None:
    tokens = world.sandbox.google_tokens(MENTOR, CALENDAR)
    await connect(world, refresh_token=tokens["refresh_token"], scopes=tokens["scope"].split())


async def test_google_away_while_connecting(world: World) -> None:
    tokens = world.sandbox.google_tokens(TOKYO, SCOPES)
    world.sandbox.control.chaos("google", error_rate=1, match="calendarList")
    with pytest.raises(Unavailable):
        await service.connect(
            world.database,
            world.google,
            world.mentor_id,
            google_email=TOKYO,
            refresh_token=tokens["refresh_token"],
            scopes=SCOPES,
        )
    connection = await world.connection()
    assert connection is not None
    assert connection.google_email == MENTOR


async def test_reconnecting_mends_a_revoked_grant_and_keeps_the_choice(world: World) -> None:
    await choose(world, SECOND)
    await world.mirror()
    world.sandbox.control.chaos("google", revoke=True)
    await world.mirror()
    await connect(world)
    connection = await world.connection()
    assert connection is not None
    assert connection.state is CalendarState.CONNECTED
    assert connection.google_calendar_id == SECOND
    event = world.sandbox.control.add_event(timed(soon(3)), SECOND)
    await world.mirror()
    assert event["id"] in await world.windows()
    assert len(await world.emitted("calendar/reconnected")) == 3


async def test_a_chosen_calendar_that_is_gone_gives_way_to_the_primary_one(world: World) -> None:
    await world.change(google_calendar_id="gone@group.calendar.google.com")
    await connect(world)
    connection = await world.connection()
    assert connection is not None
    assert connection.google_calendar_id == MENTOR
    assert connection.mirrored_at is None
    assert await world.windows() == {}


async def test_another_account_replaces_the_first_which_is_given_back(world: World) -> None:
    before = await world.connection()
    assert before is not None
    old = world.google.cipher.decrypt(before.google_refresh_token)
    await connect(world, TOKYO)
    connection = await world.connection()
    assert connection is not None
    assert (connection.google_email, connection.google_calendar_id) == (TOKYO, TOKYO)
    assert await world.windows() == {}
    assert connection.sync_token is None
    with pytest.raises(Exception, match="invalid_grant"):
        await world.google.calendars(old)
    await world.mirror()
    assert (await world.connection() or connection).mirrored_at is not None


async def test_what_was_read_with_an_earlier_grant_is_dropped(world: World) -> None:
    foreign = world.sandbox.control.add_event(timed(soon(3)))
    await service.disconnect(world.database, world.google, world.mentor_id)
    await connect(world)
    late = LateGoogle(world.google.settings)
    reading = asyncio.create_task(service.mirror(world.database, late, world.mentor_id))
    await late.answered.wait()
    await service.disconnect(world.database, world.google, world.mentor_id)
    await connect(world, TOKYO)
    late.delivered.set()
    await reading
    assert foreign["id"] not in await world.windows()
    late.close()


async def test_disconnecting_forgets_everything_and_gives_the_grant_back(world: World) -> None:
    connection = await world.connection()
    assert connection is not None
    token = world.google.cipher.decrypt(connection.google_refresh_token)
    await service.disconnect(world.database, world.google, world.mentor_id)
    assert await world.connection() is None
    assert await world.windows() == {}
    (revocation,) = world.requests("/revoke")
    assert revocation["status"] == 200
    with pytest.raises(Exception, match="invalid_grant"):
        await world.google.calendars(token)
    await service.disconnect(world.database, world.google, world.mentor_id)
    assert len(world.requests("/revoke")) == 1


@pytest.mark.parametrize("dial", [{"revoke": True}, {"error_rate": 1}, {"latency_ms": 4000}])
async def test_disconnecting_works_whatever_google_says(world: World, dial: dict[str, Any]) -> None:
    world.sandbox.control.chaos("google", **dial)
    await service.disconnect(world.database, world.google, world.mentor_id)
    assert await world.connection() is None


async def test_disconnecting_works_without_the_key(world: World) -> None:
    other = Google(dataclasses.replace(world.google.settings, encryption_keys=crypto.new_key()))
    await service.disconnect(world.database, other, world.mentor_id)
    assert await world.connection() is None
    other.close()


async def test_another_calendar_starts_over(world: World) -> None:
    there = world.sandbox.control.add_event(timed(soon(3)), SECOND)
    await choose(world, SECOND)
    connection = await world.connection()
    assert connection is not None
    assert connection.google_calendar_id == SECOND
    assert (connection.sync_token, connection.mirrored_at) == (None, None)
    assert await world.windows() == {}
    await world.mirror()
    assert there["id"] in await world.windows()
    assert len(await world.emitted("calendar/mirror")) == 2
    assert len(await world.emitted("calendar/reconnected")) == 2


async def test_our_events_leave_the_calendar_that_was_used_before(world: World) -> None:
    event, own = await write(world), world.sandbox.control.add_event(timed(soon(5)))
    await choose(world, SECOND)
    assert await world.emitted("calendar/left") == [{"mentor_id": str(world.mentor_id)}]
    for _ in range(2):
        await service.leave_calendar(world.database, world.google, world.mentor_id)
    ids = {one["id"] for one in world.sandbox.control.events()}
    assert event.id not in ids
    assert own["id"] in ids
    connection = await world.connection()
    assert connection is not None
    assert connection.left_calendar_id is None
    written = await service.write_event(world.database, world.google, world.mentor_id, event)
    assert written.event_id == event.id
    assert event.id in {one["id"] for one in world.sandbox.control.events(SECOND)}
    await choose(world, MENTOR)
    again = await service.write_event(world.database, world.google, world.mentor_id, event)
    assert again.needs_new_generation, "its id is used up in the first calendar"


async def test_changing_twice_in_a_row_clears_both(world: World) -> None:
    first = await write(world)
    await choose(world, SECOND)
    second = await write(world)
    await choose(world, MENTOR)
    await service.leave_calendar(world.database, world.google, world.mentor_id)
    left = {one["id"] for address in (MENTOR, SECOND) for one in world.sandbox.control.events(address)}
    assert not left & {first.id, second.id}


async def test_choosing_the_same_calendar_changes_nothing(world: World) -> None:
    before = await world.windows()
    await choose(world, MENTOR)
    assert await world.windows() == before
    assert await world.emitted("calendar/left") == []


@pytest.mark.parametrize("calendar_id", ["", "nobody@example.test", TOKYO, "x" * 3000])
async def test_only_calendars_of_the_account_can_be_chosen(world: World, calendar_id: str) -> None:
    with pytest.raises(Invalid) as caught:
        await choose(world, calendar_id)
    assert caught.value.fields.keys() == {"google_calendar_id"}


async def test_choosing_without_google_to_ask(world: World) -> None:
    with pytest.raises(NotFound):
        await service.choose_calendar(world.database, world.google, world.cast["other_mentor"], SECOND)
    world.sandbox.control.chaos("google", error_rate=1)
    with pytest.raises(Unavailable):
        await choose(world, SECOND)
    world.sandbox.control.chaos("google", revoke=True)
    with pytest.raises(Refused) as caught:
        await choose(world, SECOND)
    assert caught.value.code == "google_revoked"
    connection = await world.connection()
    assert connection is not None
    assert connection.state is CalendarState.REVOKED


async def test_new_calendars_are_seen_in_time(world: World) -> None:
    await world.change(calendars=[])
    await service.refresh_calendars(world.database, world.google, world.mentor_id)
    connection = await world.connection()
    assert connection is not None
    assert [id_ for id_, _ in connection.calendars] == [MENTOR, SECOND]


async def test_keys_can_be_rotated(world: World) -> None:
    old_keys, new_key = world.google.settings.encryption_keys, crypto.new_key()
    rotating = Google(dataclasses.replace(world.google.settings, encryption_keys=f"{new_key},{old_keys}"))
    assert await service.mirror(world.database, rotating, world.mentor_id) == []
    assert await service.reseal_tokens(world.database, rotating) == 1
    assert await service.reseal_tokens(world.database, rotating) == 0
    rotated = Google(dataclasses.replace(world.google.settings, encryption_keys=new_key))
    event = world.sandbox.control.add_event(timed(soon(3)))
    await service.mirror(world.database, rotated, world.mentor_id)
    assert event["id"] in await world.windows()
    rotating.close()
    rotated.close()


async def test_a_key_dropped_too_early_blocks_booking_and_loses_nothing(world: World) -> None:
    other = Google(dataclasses.replace(world.google.settings, encryption_keys=crypto.new_key()))
    with pytest.raises(Unavailable):
        await service.busy_live(world.database, other, world.mentor_id, 0, 3600)
    connection = await world.connection()
    assert connection is not None
    assert connection.state is CalendarState.CONNECTED
    await world.mirror()
    other.close()


async def test_tokens_are_not_in_logs_or_reprs(world: World) -> None:

    async with world.database.service(ServiceDoor.JOB) as uow:
        grant = await grants.find(uow, world.google, world.mentor_id)
    assert grant is not None
    assert grant.token not in repr(grant)
