"""The relay: at once when an event is written, by itself when time makes one due, and again when a job was lost."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from app.core import clock, outbox, relay
from app.core.db import Database
from app.core.models import EventState, OutboxEvent
from app.core.queue import JobQueue
from app.core.relay import Relay
from app.core.rls import ServiceDoor
from app.core.timetable import Timetable
from app.settings import Settings
from tests.jobs.conftest import move
from tests.support.processes import until

HOUR = timedelta(hours=1)


async def emit(database: Database, wait: timedelta = timedelta()) -> UUID:
    async with database.service(ServiceDoor.JOB) as uow:
        event_id = await uow.emit("test/tea", {}, at=clock.now() + wait)
        await uow.commit()
    return event_id


async def state(database: Database, event_id: UUID) -> EventState:
    async with database.service(ServiceDoor.JOB) as uow:
        return (await uow.session.get_one(OutboxEvent, event_id)).state


async def age(database: Database, seconds: float) -> None:
    """Let queued events have been queued longer ago."""
    async with database.service(ServiceDoor.JOB) as uow:
        shift = sa.text("update outbox set queued_at = queued_at - make_interval(secs => :seconds)")
        await uow.session.execute(shift, {"seconds": seconds})
        await uow.commit()


@asynccontextmanager
async def relaying(database: Database, queue: JobQueue, settings: Settings) -> AsyncIterator[Relay]:
    """A relay at work, that sweeps all the time."""
    each = Relay(database, queue, Timetable(()), sweep_seconds=0)
    task = asyncio.create_task(each.run(settings.direct_url))
    try:
        yield each
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_due_events_get_jobs(database: Database, queue: JobQueue) -> None:
    now, later = await emit(database), await emit(database, HOUR)
    assert await relay.hand_over_due(database, queue) == 1
    assert await queue.without_job([now, later]) == [later]
    assert (await state(database, now), await state(database, later)) == (EventState.QUEUED, EventState.NEW)


async def test_more_than_a_batch_is_handed_over_in_one_go(database: Database, queue: JobQueue) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        ids = [await uow.emit("test/tea", {}) for _ in range(relay.BATCH * 2 + 5)]
        await uow.commit()
    assert await relay.hand_over_due(database, queue) == len(ids)
    assert await queue.without_job(ids) == []


async def test_a_claim_whose_relay_died_is_found_by_the_sweep(database: Database, queue: JobQueue) -> None:
    lost, kept = await emit(database), await emit(database)
    async with database.service(ServiceDoor.JOB) as uow:
        await outbox.claim_due(uow, clock.now())
        await uow.commit()
    await queue.hand_over([kept])
    assert await relay.sweep(database, queue) == 0, "its relay may be just about to"
    await age(database, relay.GRACE_SECONDS)
    assert await relay.sweep(database, queue) == 1
    assert await queue.without_job([lost, kept]) == []
    assert await relay.sweep(database, queue) == 0


async def test_the_sweep_sees_every_page(
    database: Database, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "PAGE", 3)
    for _ in range(7):
        await emit(database)
    async with database.service(ServiceDoor.JOB) as uow:
        await outbox.claim_due(uow, clock.now())
        await uow.commit()
    await age(database, relay.GRACE_SECONDS)
    assert await relay.sweep(database, queue) == 7


async def test_a_commit_wakes_the_relay(database: Database, settings: Settings) -> None:
    calls = 0
    called = asyncio.Condition()

    async def act() -> None:
        nonlocal calls
        async with called:
            calls += 1
            called.notify_all()

    listening = asyncio.create_task(relay.listen(settings.direct_url, "outbox", 3600, act))
    async with asyncio.timeout(10), called:
        await called.wait_for(lambda: calls == 1)
    await emit(database)
    async with asyncio.timeout(10), called:
        await called.wait_for(lambda: calls == 2)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_jump_of_the_clock_makes_events_due(
    database: Database, queue: JobQueue, either: Settings, clock_file: Path
) -> None:
    clock.follow(str(clock_file))
    try:
        waiting = await emit(database, 72 * HOUR)
        async with relaying(database, queue, either):
            soon = await emit(database)

            async def is_queued(event_id: UUID) -> bool:
                return await state(database, event_id) is EventState.QUEUED

            await until("the event that is due is handed over", lambda: is_queued(soon))
            assert not await is_queued(waiting)
            move(clock_file, 72 * HOUR)
            await until("the jump is noticed", lambda: is_queued(waiting), seconds=5)
    finally:
        clock.follow("")


async def test_a_relay_survives_the_loss_of_its_connection(
    database: Database, queue: JobQueue, either: Settings, admin_url: str
) -> None:
    hang_up = "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen \"outbox\"' and pid <> pg_backend_pid() and datname = current_database()"
    async with (
        relaying(database, queue, either),
        await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin,
    ):

        async def hung_up() -> bool:
            return (await admin.execute(hang_up)).rowcount == 1

        await until("the relay listens", hung_up)
        await until("the relay listens again", hung_up)
        event_id = await emit(database)

        async def is_queued() -> bool:
            return await state(database, event_id) is EventState.QUEUED

        await until("the event is handed over", is_queued)


async def test_a_relay_waits_for_its_queue(database: Database, quick: Settings) -> None:
    gone = JobQueue(dataclasses.replace(quick, redis_url="redis://127.0.0.1:9/0"), database)
    event_id = await emit(database)
    async with relaying(database, gone, quick):

        async def is_claimed() -> bool:
            return await state(database, event_id) is EventState.QUEUED

        await until("the event is claimed", is_claimed)
    back = JobQueue(quick, database)
    await back.saq.connect()
    await age(database, 5)
    assert await relay.sweep(database, back) == 1
    await back.saq.disconnect()
