"""The mirror: what it asks for, when it asks for all, and that no older answer replaces a newer one."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from app.calendars import service
from app.calendars.errors import GoogleUnavailable, Overtaken
from app.calendars.models import CalendarState
from app.core import clock
from app.core.rls import ServiceDoor
from app.dev.roles import DatabaseUrls
from app.mentors.models import Mentor
from tests.calendars.world import LateGoogle, World, soon, timed
from tests.support.sandbox import MENTOR

LISTS = "/events"
SECOND = "studio0shows0and0fairs@group.calendar.google.com"


def at(seconds: int) -> datetime:
    """Epoch seconds as an instant."""
    return datetime.fromtimestamp(seconds, UTC)


def asked(world: World) -> list[str]:
    """For each events.list that Google got: `all`, `changes` or `page`."""
    kinds = []
    for request in world.requests(LISTS):
        query = parse_qs(request["query"])
        kind = "page" if "pageToken" in query else "changes" if "syncToken" in query else "all"
        kinds.append(kind)
    return kinds


async def test_the_first_reading_takes_all_and_later_ones_only_changes(world: World) -> None:
    event = world.sandbox.control.add_event(timed(soon(3)))
    await world.mirror()
    await world.mirror()
    assert asked(world) == ["all", "changes", "changes"]
    assert (await world.windows())[event["id"]] == (soon(3), soon(3, 10))


async def test_nothing_of_what_events_are_about_is_asked_for(world: World) -> None:
    for request in world.requests(LISTS):
        assert "summary" not in request["query"]
        assert not any("summary" in item for item in request["answer"].get("items", ()))


async def test_moved_and_deleted_events_leave_their_time(world: World) -> None:
    control = world.sandbox.control
    moved, deleted = control.add_event(timed(soon(3))), control.add_event(timed(soon(4)))
    await world.mirror()
    control.change_event(moved["id"], timed(soon(5)))
    control.delete_event(deleted["id"])
    await world.mirror()
    windows = await world.windows()
    assert windows[moved["id"]] == (soon(5), soon(5, 10))
    assert deleted["id"] not in windows


async def test_everything_is_read_when_the_token_is_too_old(world: World) -> None:
    event = world.sandbox.control.add_event(timed(soon(3)))
    world.sandbox.control.call("POST", f"/google/calendars/{MENTOR}/stale")
    await world.mirror()
    assert asked(world) == ["all", "changes", "all"]
    assert event["id"] in await world.windows()
    await world.mirror()
    assert asked(world)[-1] == "changes"


async def test_everything_is_read_when_the_horizon_moved_beyond_what_is_known(world: World) -> None:
    beyond = world.sandbox.control.add_event(timed(soon(80)))
    await world.mirror()
    assert asked(world)[-1] == "changes"
    async with world.database.service(ServiceDoor.JOB) as uow:
        await uow.session.execute(
            sa.update(Mentor).where(Mentor.id == world.mentor_id).values(horizon_days=90)
        )
        await uow.commit()
    await world.mirror()
    assert asked(world)[-1] == "all"
    assert beyond["id"] in await world.windows()
    connection = await world.connection()
    assert connection is not None
    assert connection.synced_until is not None
    assert connection.synced_until > clock.now() + timedelta(days=96)


async def test_everything_is_read_when_the_calendar_has_another_zone(world: World) -> None:
    await world.change(calendar_time_zone="Asia/Tokyo")
    await world.mirror()
    assert asked(world)[-1] == "all"
    connection = await world.connection()
    assert connection is not None
    assert connection.calendar_time_zone == "Europe/Lisbon"


async def test_many_events_come_in_pages(world: World) -> None:
    rule = {"recurrence": ["RRULE:FREQ=DAILY"]}
    for hour in range(10):
        when = {"timeZone": "UTC"}
        start, end = soon(0, hour), soon(0, hour, 30)
        body = {
            "start": {"dateTime": start.isoformat(), **when},
            "end": {"dateTime": end.isoformat(), **when},
        }
        world.sandbox.control.add_event({**body, **rule})
    await world.mirror(full=True)
    assert "page" in asked(world)
    days = {start.date() for start, _ in (await world.windows()).values()}
    assert len(days) >= 67


async def test_own_events_do_not_count_but_are_told(world: World) -> None:
    session_id, control = uuid4(), world.sandbox.control
    mark = {"private": {"session_id": str(session_id), "version": "3"}}
    kept = control.add_event(timed(soon(3), id="session0kept", extendedProperties=mark))
    other = control.add_event(timed(soon(4), id="session0other", extendedProperties=mark))
    control.delete_event(other["id"])
    own = {event.event_id: event for event in await world.mirror()}
    assert own.keys() == {"session0kept", "session0other"}
    assert own["session0kept"].session_id == session_id
    assert (own["session0kept"].start, own["session0kept"].end) == (soon(3), soon(3, 10))
    assert own["session0other"].status == "cancelled"
    assert own["session0other"].start is None
    assert not own.keys() & (await world.windows()).keys()
    control.change_event(kept["id"], timed(soon(6)))
    (moved,) = await world.mirror()
    assert (moved.event_id, moved.start) == ("session0kept", soon(6))
    assert {event.event_id for event in await world.mirror(full=True)} == own.keys()


async def test_an_event_that_becomes_free_leaves_the_mirror(world: World) -> None:
    event = world.sandbox.control.add_event(timed(soon(3)))
    await world.mirror()
    world.sandbox.control.change_event(event["id"], {"transparency": "transparent"})
    await world.mirror()
    assert event["id"] not in await world.windows()


async def test_a_revoked_grant_is_recorded_and_told_once(world: World) -> None:
    world.sandbox.control.chaos("google", revoke=True)
    assert await world.mirror() == []
    connection = await world.connection()
    assert connection is not None
    assert connection.state is CalendarState.REVOKED
    assert await world.windows(), "what was known stays, booking is blocked anyway"
    before = len(world.requests(""))
    assert await world.mirror() == []
    assert len(world.requests("")) == before, "Google is not asked again"
    assert await world.told() == [{"kind": "calendar_revoked", "mentor_id": str(world.mentor_id)}]


async def test_of_many_that_find_a_grant_revoked_one_tells(world: World) -> None:
    world.sandbox.control.chaos("google", revoke=True)
    await asyncio.gather(*(world.mirror() for _ in range(8)))
    assert len(await world.told()) == 1


@pytest.mark.parametrize(
    "dial",
    [{"error_rate": 1, "status": 500}, {"error_rate": 1, "status": 429}, {"error_rate": 1, "status": 403}],
)
async def test_google_in_trouble_changes_nothing_and_is_shown(world: World, dial: dict[str, Any]) -> None:
    before = await world.windows(), await world.connection()
    world.sandbox.control.chaos("google", match="/calendar/v3/", **dial)
    with pytest.raises(GoogleUnavailable):
        await world.mirror()
    after = await world.connection()
    assert before[1] is not None
    assert after is not None
    assert after.last_error == "unavailable"
    assert (after.sync_token, after.mirrored_at) == (before[1].sync_token, before[1].mirrored_at)
    assert await world.windows() == before[0]
    world.sandbox.control.chaos("google")
    await world.mirror()
    mended = await world.connection()
    assert mended is not None
    assert mended.last_error is None


async def test_a_calendar_that_is_gone_is_shown_not_retried(world: World) -> None:
    await world.change(google_calendar_id="gone@group.calendar.google.com")
    assert await world.mirror(full=True) == []
    connection = await world.connection()
    assert connection is not None
    assert connection.last_error == "calendar_gone"
    assert connection.state is CalendarState.CONNECTED


async def test_the_age_is_business_time(world: World) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    with clock.standing_at(later):
        await world.mirror()
    connection = await world.connection()
    assert connection is not None
    assert connection.mirrored_at == later


async def test_an_older_answer_does_not_replace_a_newer_one(world: World) -> None:
    event = world.sandbox.control.add_event(timed(soon(3)))
    late = LateGoogle(world.google.settings)
    older = asyncio.create_task(service.mirror(world.database, late, world.mentor_id, full=True))
    await late.answered.wait()
    world.sandbox.control.delete_event(event["id"])
    await world.mirror()
    late.delivered.set()
    await older
    assert event["id"] not in await world.windows()
    assert asked(world) == ["all", "all", "changes", "all"], "the overtaken reading was repeated"
    late.close()


async def test_open_pages_hear_of_what_changed_and_of_nothing_else(world: World, urls: DatabaseUrls) -> None:
    control = world.sandbox.control
    async with await psycopg.AsyncConnection.connect(urls.database_url, autocommit=True) as connection:
        await connection.execute("listen slots")

        async def heard() -> list[tuple[datetime, datetime]]:
            await connection.execute("select 1")
            told = [json.loads(one.payload) async for one in connection.notifies(timeout=0)]
            return [(at(one["start"]), at(one["end"])) for one in told]

        await world.mirror()
        await world.mirror(full=True)
        assert await heard() == []
        for hour in range(3):
            control.add_event(timed(soon(3, 9 + hour)))
        control.add_event(timed(soon(4), transparency="transparent"))
        await world.mirror()
        assert await heard() == [(soon(3, 9), soon(3, 12))]
        await world.mirror(full=True)
        assert await heard() == []


async def test_what_changes_nothing_overtakes_nobody(world: World) -> None:
    before = await world.connection()
    mark = {"private": {"session_id": str(uuid4()), "version": "0"}}
    world.sandbox.control.add_event(timed(soon(3), extendedProperties=mark))
    await world.mirror()
    after = await world.connection()
    assert before is not None
    assert after is not None
    assert after.mirror_version == before.mirror_version
    assert after.sync_token != before.sync_token


async def test_readings_at_once_end_in_the_state_of_the_last(world: World) -> None:
    for round_ in range(3):
        ids = [world.sandbox.control.add_event(timed(soon(5 + round_, hour)))["id"] for hour in range(4)]
        for id_ in ids[:2]:
            world.sandbox.control.delete_event(id_)
        results = await asyncio.gather(
            *(world.mirror(full=number % 2 == 0) for number in range(3)), return_exceptions=True
        )
        assert all(isinstance(result, list | Overtaken) for result in results)
        windows = await world.windows()
        assert not set(ids[:2]) & windows.keys()
        assert set(ids[2:]) <= windows.keys()


async def test_a_mentor_without_google_has_no_mirror(world: World) -> None:
    assert await service.mirror(world.database, world.google, world.cast["other_mentor"]) == []
    assert await service.mirror(world.database, world.google, uuid4()) == []


async def test_an_answer_for_a_connection_that_ended_is_dropped(world: World) -> None:
    world.sandbox.control.add_event(timed(soon(3)))
    world.sandbox.control.chaos("google", latency_ms=300, match="/calendar/v3/")
    reading = asyncio.create_task(world.mirror())
    await service.disconnect(world.database, world.google, world.mentor_id)
    assert await reading == []
    assert await world.windows() == {}
    assert await world.connection() is None
