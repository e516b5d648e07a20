"""Our events in the mentor's calendar: written by state, by derived ids, never over what the mentor did."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.calendars import service
from app.calendars.errors import CalendarGone, GoogleUnavailable, GrantRevoked, NotConnected
from app.calendars.models import CalendarState
from app.calendars.service import EventToWrite, Outcome, Written
from tests.calendars.world import World, soon, timed


def wanted(
    version: int = 0, generation: int = 0, session_id: UUID | None = None, **more: Any
) -> EventToWrite:
    values: dict[str, Any] = {
        "summary": "Session with Student",
        "description": "http://127.0.0.1:8000/sessions/1",
        "start": soon(3),
        "end": soon(3, 10),
        **more,
    }
    return EventToWrite(session_id=session_id or uuid4(), generation=generation, version=version, **values)


async def write(world: World, event: EventToWrite) -> Written:
    return await service.write_event(world.database, world.google, world.mentor_id, event)


async def remove(world: World, event_id: str) -> None:
    await service.remove_event(world.database, world.google, world.mentor_id, event_id)


def held(world: World, event_id: str) -> dict[str, Any]:
    """The event as Google has it."""
    (found,) = [one for one in world.sandbox.control.events(showDeleted=True) if one["id"] == event_id]
    return found


def test_ids_are_derived_and_of_googles_alphabet() -> None:
    one = UUID("01890000-0000-7000-8000-000000000001")
    assert service.event_id(one, 0) == service.event_id(one, 0)
    assert len({service.event_id(one, 0), service.event_id(one, 1), service.event_id(uuid4(), 0)}) == 3
    assert re.fullmatch(r"[a-v0-9]{5,1024}", service.event_id(one, 7))


async def test_an_event_says_what_both_need_and_invites_nobody(world: World) -> None:
    event = wanted(version=2)
    written = await write(world, event)
    assert (written.outcome, written.event_id, written.version) == (Outcome.WRITTEN, event.id, 2)
    assert written.start == soon(3)
    found = held(world, event.id)
    assert found["etag"] == written.etag
    assert found["summary"] == event.summary
    assert found["description"] == event.description
    assert found["start"]["dateTime"] == soon(3).isoformat().replace("+00:00", "Z")
    assert found["extendedProperties"] == {"private": {"session_id": str(event.session_id), "version": "2"}}
    assert found["reminders"] == {"useDefault": True}
    assert "attendees" not in found
    assert {
        request["query"].count("sendUpdates=none")
        for request in world.requests("/events")
        if request["method"] == "POST"
    } == {1}


async def test_writing_twice_leaves_one_event(world: World) -> None:
    event = wanted()
    results = await asyncio.gather(*(write(world, event) for _ in range(5)))
    assert {result.outcome for result in results} == {Outcome.WRITTEN}
    assert len({result.etag for result in results}) == 1
    assert len([one for one in world.sandbox.control.events() if one["id"] == event.id]) == 1


async def test_an_answer_lost_on_the_way_leaves_one_event(world: World) -> None:
    world.sandbox.control.chaos("google", error_rate=1, after=True, match="POST /calendar/v3/", count=1)
    event = wanted()
    with pytest.raises(GoogleUnavailable):
        await write(world, event)
    assert (await write(world, event)).outcome is Outcome.WRITTEN
    assert held(world, event.id)["sequence"] == 0


async def test_a_newer_version_moves_the_event_and_keeps_what_the_mentor_added(world: World) -> None:
    event = wanted()
    await write(world, event)
    world.sandbox.control.change_event(event.id, {"location": "Studio", "colorId": "5"})
    moved = dataclasses.replace(event, version=1, start=soon(5), end=soon(5, 10))
    written = await write(world, moved)
    assert (written.outcome, written.start, written.version) == (Outcome.WRITTEN, soon(5), 1)
    found = held(world, event.id)
    assert (found["location"], found["colorId"]) == ("Studio", "5")
    assert found["extendedProperties"]["private"]["version"] == "1"


async def test_an_older_version_does_not_overwrite_a_newer_one(world: World) -> None:
    event = wanted(version=3)
    await write(world, event)
    older = dataclasses.replace(event, version=2, start=soon(6), end=soon(6, 10))
    written = await write(world, older)
    assert (written.outcome, written.version, written.start) == (Outcome.WRITTEN, 3, soon(3))


async def test_what_the_mentor_moved_is_left_there_and_told(world: World) -> None:
    event = wanted()
    await write(world, event)
    world.sandbox.control.change_event(event.id, timed(soon(4)))
    written = await write(world, event)
    assert (written.outcome, written.start) == (Outcome.MOVED, soon(4))
    newer = dataclasses.replace(event, version=1)
    assert (await write(world, newer)).start == soon(3), "a new state of the session is written all the same"


async def test_what_the_mentor_made_an_all_day_event_can_be_moved_back(world: World) -> None:
    event = wanted()
    await write(world, event)
    day = {
        "start": {"date": "2027-03-09", "dateTime": None, "timeZone": None},
        "end": {"date": "2027-03-10", "dateTime": None, "timeZone": None},
    }
    world.sandbox.control.change_event(event.id, day)
    assert (await write(world, event)).outcome is Outcome.MOVED
    assert (await write(world, dataclasses.replace(event, version=1))).start == soon(3)


async def test_a_deleted_event_needs_a_new_generation(world: World) -> None:
    event = wanted(version=4)
    await write(world, event)
    world.sandbox.control.delete_event(event.id)
    written = await write(world, event)
    assert written.outcome is Outcome.DELETED
    assert written.needs_new_generation
    assert written.version == 4
    again = dataclasses.replace(event, generation=1)
    assert (await write(world, again)).outcome is Outcome.WRITTEN
    assert held(world, event.id)["status"] == "cancelled"
    assert held(world, again.id)["status"] == "confirmed"


async def test_a_change_in_between_is_seen(world: World) -> None:
    """The mentor changes the event between our look and our write, each time but the last."""
    event = wanted()
    await write(world, event)
    adapter = world.google
    changes = iter([timed(soon(7)), {"summary": "Mine"}])

    class Meddled(type(adapter)):  # type: ignore[misc]
        async def get_event(self, token: str, calendar_id: str, event_id: str) -> Any:
            found = await super().get_event(token, calendar_id, event_id)
            body = next(changes, None)
            if body is not None:
                world.sandbox.control.change_event(event_id, body)
            return found

    meddled = Meddled(adapter.settings)
    newer = dataclasses.replace(event, version=1, start=soon(8), end=soon(8, 10))
    written = await service.write_event(world.database, meddled, world.mentor_id, newer)
    assert (written.outcome, written.start) == (Outcome.WRITTEN, soon(8))
    assert [request["status"] for request in world.requests("/events/") if request["method"] == "PATCH"] == [
        412,
        412,
        200,
    ]
    meddled.close()


async def test_removing_is_done_once_or_twice(world: World) -> None:
    event = wanted()
    await write(world, event)
    await remove(world, event.id)
    assert held(world, event.id)["status"] == "cancelled"
    await remove(world, event.id)
    await remove(world, service.event_id(uuid4(), 0))


async def test_own_events_are_in_the_mirrors_answer(world: World) -> None:
    event = wanted(start=soon(3, 9, 30), end=soon(3, 9, 30) + timedelta(hours=1))
    await write(world, event)
    own = await world.mirror()
    assert [(one.session_id, one.event_id, one.start) for one in own] == [
        (event.session_id, event.id, soon(3, 9, 30))
    ]
    assert event.id not in await world.windows()


async def test_without_a_usable_connection_nothing_is_written(world: World) -> None:
    other = world.cast["other_mentor"]
    with pytest.raises(NotConnected):
        await service.write_event(world.database, world.google, other, wanted())
    with pytest.raises(NotConnected):
        await service.remove_event(world.database, world.google, other, "session0")
    world.sandbox.control.chaos("google", revoke=True)
    for _ in range(2):
        with pytest.raises(GrantRevoked):
            await write(world, wanted())
    connection = await world.connection()
    assert connection is not None
    assert connection.state is CalendarState.REVOKED
    assert len(await world.told()) == 1


async def test_a_calendar_that_is_gone_is_named(world: World) -> None:
    await world.change(google_calendar_id="gone@group.calendar.google.com")
    with pytest.raises(CalendarGone):
        await write(world, wanted())


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_google_in_trouble_is_named(world: World, status: int) -> None:
    world.sandbox.control.chaos("google", error_rate=1, status=status, match="/calendar/v3/")
    event = wanted()
    with pytest.raises(GoogleUnavailable):
        await write(world, event)
    with pytest.raises(GoogleUnavailable):
        await remove(world, event.id)
    world.sandbox.control.chaos("google")
    assert (await write(world, event)).outcome is Outcome.WRITTEN
