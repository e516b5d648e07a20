"""Workers in this process: every event once, failures kept from others."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.db import Database
from app.core.models import EventState, OutboxEvent
from app.core.outbox import Event
from app.core.relay import Relay
from app.core.rls import ServiceDoor
from app.settings import Settings
from app.wiring import Platform
from jobs import worker
from jobs.events import EVENTS
from tests.support.processes import until

pytestmark = pytest.mark.usefixtures("_workers_here")


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """A whole worker, stopped at the end."""
    task = asyncio.create_task(worker.run(settings))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def emit(database: Database, type_: str, count: int) -> list[UUID]:
    async with database.service(ServiceDoor.JOB) as uow:
        ids = [await uow.emit(type_, {}) for _ in range(count)]
        await uow.commit()
    return ids


async def states(database: Database, ids: list[UUID]) -> Counter[EventState]:
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(OutboxEvent.state).where(OutboxEvent.id.in_(ids))
        return Counter(await uow.session.scalars(query))


async def test_three_workers_perform_every_event_once(
    database: Database, either: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the patience of a production system: a machine that stalls for a second gets no second worker's help."""
    patient = dataclasses.replace(either, job_heartbeat_seconds=60, job_sweep_seconds=60)
    performed: Counter[UUID] = Counter()

    async def perform(platform: Platform, event: Event) -> None:
        performed[event.id] += 1

    monkeypatch.setitem(EVENTS, "test/tea", perform)
    count = 200 if either.redis_url else 400
    ids = await emit(database, "test/tea", count)

    async def all_done() -> bool:
        return await states(database, ids) == {EventState.DONE: count}

    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(working(patient))
        await until("all events are done", all_done, seconds=180)
    assert performed == Counter(ids)


async def test_a_failing_handler_stops_nobody(
    database: Database, quick: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def spill(platform: Platform, event: Event) -> None:
        raise ZeroDivisionError("spilt")

    async def pour(platform: Platform, event: Event) -> None:
        return

    monkeypatch.setitem(EVENTS, "test/spill", spill)
    monkeypatch.setitem(EVENTS, "test/pour", pour)
    spilt = await emit(database, "test/spill", 8)
    unknown = await emit(database, "test/unheard of", 2)
    poured = await emit(database, "test/pour", 8)

    async def others_done() -> bool:
        return await states(database, poured) == {EventState.DONE: 8}

    async def tried() -> bool:
        async with database.service(ServiceDoor.JOB) as uow:
            query = sa.select(sa.func.min(OutboxEvent.attempts)).where(OutboxEvent.id.in_(spilt + unknown))
            return bool(await uow.session.scalar(query))

    with caplog.at_level(logging.WARNING):
        async with working(quick):
            await until("the others are done", others_done)
            await until("the failing ones were tried", tried)
    assert set(await states(database, spilt + unknown)) <= {EventState.NEW, EventState.QUEUED}
    assert "ZeroDivisionError: spilt" in caplog.text
    assert "KeyError: 'test/unheard of'" in caplog.text


async def test_a_long_job_keeps_its_worker(
    database: Database, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs for longer than the heartbeat; two workers sweep, and none takes it for dead."""
    began: Counter[UUID] = Counter()

    async def brew(platform: Platform, event: Event) -> None:
        began[event.id] += 1
        deadline = asyncio.get_running_loop().time() + 4.5
        async with asyncio.timeout_at(deadline):
            await asyncio.Event().wait()

    async def brew_through(platform: Platform, event: Event) -> None:
        try:
            await brew(platform, event)
        except TimeoutError:
            return

    monkeypatch.setitem(EVENTS, "test/brew", brew_through)
    ids = await emit(database, "test/brew", 3)

    async def all_done() -> bool:
        return await states(database, ids) == {EventState.DONE: 3}

    async with working(quick), working(quick):
        await until("the tea is brewed", all_done)
    assert began == Counter(ids)


async def test_without_its_relay_a_worker_ends(quick: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(self: Relay, direct_url: str) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr(Relay, "run", crash)
    with pytest.raises(LookupError, match="a bug"):
        await worker.run(quick)
