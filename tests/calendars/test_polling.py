"""Which mirrors are due, and what the jobs make of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app import wiring
from app.calendars import service
from app.calendars.models import CalendarState
from app.calendars.notices import calendar_revoked
from app.core import clock
from app.core.outbox import Event, Retry
from app.core.rls import ServiceDoor
from app.notifications.service import outdated
from app.wiring import Platform
from jobs import calendars as jobs
from tests.calendars.world import World, soon, timed

SECOND = "studio0shows0and0fairs@group.calendar.google.com"


@pytest.fixture
async def platform(world: World) -> AsyncIterator[Platform]:
    platform = wiring.build(world.google.settings)
    yield platform
    platform.google.close()
    await platform.database.dispose()


def event(world: World, type_: str, attempts: int = 1, **payload: object) -> Event:
    return Event(uuid4(), type_, {"mentor_id": str(world.mentor_id), **payload}, attempts)


async def due(world: World) -> list[UUID]:
    async with world.database.service(ServiceDoor.JOB) as uow:
        return list(await service.due_mentors(uow, world.google.settings))


async def settle(world: World) -> None:
    """As if every event so far had been performed."""
    async with world.database.service(ServiceDoor.JOB) as uow:
        await uow.session.execute(sa.text("update outbox set state = 'done'"))
        await uow.commit()


async def test_mirrors_are_due_after_the_poll_interval(world: World) -> None:
    await settle(world)
    assert await due(world) == []
    with clock.standing_at(datetime.now(UTC) + timedelta(minutes=6)):
        assert await due(world) == [world.mentor_id]
    await world.change(mirrored_at=None)
    assert await due(world) == [world.mentor_id]
    await world.change(state=CalendarState.REVOKED)
    assert await due(world) == []


async def test_what_is_about_to_be_read_is_not_due(world: World) -> None:
    await world.change(mirrored_at=None)
    assert await world.emitted("calendar/mirror")
    assert await due(world) == []


async def test_with_a_push_channel_the_mirror_is_read_hourly(world: World) -> None:
    await settle(world)
    await world.change(channel_id="x")
    with clock.standing_at(datetime.now(UTC) + timedelta(minutes=50)):
        assert await due(world) == []
    with clock.standing_at(datetime.now(UTC) + timedelta(minutes=70)):
        assert await due(world) == [world.mentor_id]


async def test_polling_has_due_calendars_read(world: World, platform: Platform) -> None:
    await settle(world)
    await world.change(mirrored_at=None)
    for _ in range(3):
        await jobs.poll(platform, event(world, "calendar/poll"))
    assert (await world.emitted("calendar/mirror"))[1:] == [
        {"mentor_id": str(world.mentor_id), "full": False}
    ]


async def test_a_mirror_is_read_by_its_job(world: World, platform: Platform) -> None:
    added = world.sandbox.control.add_event(timed(soon(3)))
    await jobs.mirror(platform, event(world, "calendar/mirror"))
    assert added["id"] in await world.windows()
    beyond = world.sandbox.control.add_event(timed(soon(66)))
    await world.change(synced_until=soon(61))
    await jobs.mirror(platform, event(world, "calendar/mirror", full=True))
    assert beyond["id"] in await world.windows()


async def test_a_mirror_that_can_not_be_read_is_tried_a_few_times(world: World, platform: Platform) -> None:
    world.sandbox.control.chaos("google", error_rate=1, match="/calendar/v3/")
    for attempts in (1, 2):
        with pytest.raises(Retry):
            await jobs.mirror(platform, event(world, "calendar/mirror", attempts))
    await jobs.mirror(platform, event(world, "calendar/mirror", 3))


async def test_every_night_everything_is_read(world: World, platform: Platform) -> None:
    connection = await world.connection()
    assert connection is not None
    before = len(await world.emitted("calendar/mirror"))
    await jobs.nightly(platform, event(world, "calendar/nightly"))
    told = (await world.emitted("calendar/mirror"))[before:]
    assert told == [{"mentor_id": str(world.mentor_id), "full": True}]
    assert await world.emitted("calendar/choices") == [{"mentor_id": str(world.mentor_id)}]
    await world.change(calendars=[])
    await jobs.choices(platform, event(world, "calendar/choices"))
    assert len((await world.connection() or connection).calendars) == 2


async def test_jobs_wait_for_google(world: World, platform: Platform) -> None:
    await service.choose_calendar(world.database, world.google, world.mentor_id, SECOND)
    world.sandbox.control.chaos("google", error_rate=1, match="/calendar/v3/")
    for job in (jobs.left, jobs.choices):
        with pytest.raises(Retry):
            await job(platform, event(world, "any"))
    world.sandbox.control.chaos("google")
    await jobs.left(platform, event(world, "calendar/left"))
    connection = await world.connection()
    assert connection is not None
    assert connection.left_calendar_id is None


async def test_without_https_there_is_nothing_to_watch(world: World, platform: Platform) -> None:
    await jobs.watch(platform, event(world, "calendar/watch"))
    before = await world.emitted("calendar/watch")
    await jobs.channels(platform, event(world, "calendar/channels"))
    assert await world.emitted("calendar/watch") == before


async def test_the_mentor_is_told_as_long_as_it_is_true(world: World) -> None:
    payload = {"mentor_id": str(world.mentor_id)}
    async with world.database.service(ServiceDoor.JOB) as uow:
        assert await calendar_revoked(uow, world.google.settings, payload) == [outdated(world.mentor_id)]
    await world.change(state=CalendarState.REVOKED)
    async with world.database.service(ServiceDoor.JOB) as uow:
        (message,) = await calendar_revoked(uow, world.google.settings, payload)
    assert (message.recipient_id, message.address) == (world.mentor_id, "mentor@example.test")
    assert message.context == {
        "recipient_name": "Mentor",
        "link": "http://127.0.0.1:8000/instructor/settings",
    }
