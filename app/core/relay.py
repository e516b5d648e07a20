"""The relay: hands outbox events to the queue at once, and what a crash left behind soon after."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import psycopg
from psycopg import sql
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.core import clock, outbox, watchdog
from app.core.db import Database
from app.core.queue import JobQueue
from app.core.rls import ServiceDoor
from app.core.timetable import Timetable

logger = logging.getLogger(__name__)

BATCH = 100
PAGE = 500
TICK_SECONDS = 1.0  # notices what is due by time alone, also after the sandbox's clock was moved
GRACE_SECONDS = 1.0  # between claiming an event and its job
LONG_GONE = (SQLAlchemyError, psycopg.Error, RedisError, OSError)


async def hand_over_due(database: Database, queue: JobQueue) -> int:
    """Hand every event that is due now to the queue; returns how many. Several relays share them out."""
    handed = 0
    while True:
        async with database.service(ServiceDoor.JOB) as uow:
            claimed = await outbox.claim_due(uow, clock.now(), BATCH)
            await uow.commit()
        await queue.hand_over(claimed)
        handed += len(claimed)
        if len(claimed) < BATCH:
            return handed


async def sweep(database: Database, queue: JobQueue, grace_seconds: float = GRACE_SECONDS) -> int:
    """Make new jobs for events whose job is gone: a relay or a worker died. Returns how many."""
    repaired = 0
    after = outbox.BEFORE_ALL
    while True:
        async with database.service(ServiceDoor.JOB) as uow:
            queued = await outbox.stranded(uow, grace_seconds, after, PAGE)
        lost = await _lost(database, queue, queued)
        await queue.hand_over(lost)
        repaired += len(lost)
        if len(queued) < PAGE:
            return repaired
        after = queued[-1]


async def _lost(database: Database, queue: JobQueue, queued: list[UUID]) -> list[UUID]:
    """Events without a job: asked once more, since a job may have finished its event between the two questions."""
    without = await queue.without_job(queued)
    if not without:
        return []
    async with database.service(ServiceDoor.JOB) as uow:
        return await outbox.still_queued(uow, without)


class Relay:
    """One worker's relay; any number of them work side by side."""

    def __init__(
        self, database: Database, queue: JobQueue, timetable: Timetable, sweep_seconds: float
    ) -> None:
        self._database = database
        self._queue = queue
        self._timetable = timetable
        self._sweep_seconds = sweep_seconds
        self._swept_at = float("-inf")

    async def run(self, direct_url: str) -> None:
        """Work until cancelled: woken by new events and once a second; a lost database or queue is waited for."""
        await listen(direct_url, "outbox", TICK_SECONDS, self.turn)

    async def turn(self) -> None:
        """Write periodic events, hand over what is due, sweep if it is time to."""
        async with self._database.service(ServiceDoor.JOB) as uow:
            await self._timetable.write_due(uow, clock.now())
        await hand_over_due(self._database, self._queue)
        if time.monotonic() - self._swept_at >= self._sweep_seconds:
            repaired = await sweep(self._database, self._queue)
            await self._note_sweep()
            self._swept_at = time.monotonic()
            if repaired:
                logger.warning("%s outbox events had lost their job and got another", repaired)

    async def _note_sweep(self) -> None:
        async with self._database.service(ServiceDoor.JOB) as uow:
            await watchdog.swept(uow)
            await uow.commit()


async def listen(url: str, channel: str, tick_seconds: float, act: Callable[[], Awaitable[object]]) -> None:
    """Call `act` at once, after every NOTIFY on `channel`, and when `tick_seconds` passed without one; for ever.

    `url` must lead past a pooler. When the database or the queue is away, it is tried again once a tick.
    """
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
                while True:
                    await act()
                    await _notified(connection, tick_seconds)
        except LONG_GONE as error:
            logger.warning("the relay waits for its database and queue: %s", outbox.summary(error))
            await asyncio.sleep(tick_seconds)


async def _notified(connection: psycopg.AsyncConnection, seconds: float) -> None:
    """Return after a notification, those that came with it swallowed, or after `seconds` without any."""
    async for _ in connection.notifies(timeout=seconds, stop_after=1):
        pass
    async for _ in connection.notifies(timeout=0):
        pass
