"""The queue that workers take events from: SAQ, in PostgreSQL, or in Redis where REDIS_URL is set.

A job is nothing but an outbox event's id, which is the job's key too: while a job lives, handing its event over again
changes nothing, and a finished job leaves no trace. What is known about an event stands in the outbox.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import psycopg
import redis.asyncio
import sqlalchemy as sa
from psycopg_pool import AsyncConnectionPool
from redis.exceptions import RedisError
from saq.job import Job, Status
from saq.queue import Queue
from saq.queue.postgres import PostgresQueue
from saq.queue.postgres_migrations import get_migrations
from saq.queue.redis import RedisQueue
from saq.types import WorkerInfo

from app.core.db import Database
from app.core.outbox import PERFORM_SECONDS
from app.core.rls import ServiceDoor
from app.settings import Settings

logger = logging.getLogger(__name__)

NAME = "outbox"
PERFORM = "perform"
RETRIES = 5  # attempts that SAQ counts by itself; the outbox has the last word
ALIVE_SECONDS = 4  # how long a worker that said nothing more counts as alive
ABORT_SECONDS = 0.5  # how long a sweep in Redis waits for each stuck job's worker, which is dead as a rule
SPARE_CONNECTIONS = 6  # beside one for each job: listening, heartbeats, housekeeping
RECONNECT_SECONDS = 10.0

_ALIVE = sa.text(
    "insert into saq_stats (worker_id, stats, metadata, queue_key, expire_at)"
    " values (:worker_id, cast(:stats as jsonb), cast(:metadata as jsonb), :queue, extract(epoch from now()) + :seconds)"
    " on conflict (worker_id) do update set stats = excluded.stats, expire_at = excluded.expire_at"
)
_FORGET_SILENT = "delete from saq_stats where expire_at < extract(epoch from now())"
_HELD = "select key, job, status from saq_jobs where queue = %(queue)s and status in ('active', 'aborting')"
_GIVE_BACK = (
    "update saq_jobs set status = 'queued', job = %(job)s, scheduled = %(now)s"
    " where key = %(key)s and job = %(seen)s and status in ('active', 'aborting')"
)
_GONE = sa.text("delete from saq_stats where worker_id = :worker_id")


class SchemaError(Exception):
    """The queue's tables are not those of the installed SAQ: a migration is missing."""


class PostgresOutboxQueue(PostgresQueue):
    """SAQ's queue in tables that our migrations make: the service role may not create any."""

    async def init_db(self) -> None:
        """Check the tables' version. Raises SchemaError."""
        wanted = get_migrations(jobs_table=self.jobs_table, stats_table=self.stats_table)[-1][0]
        async with self.pool.connection() as connection:
            row = await (await connection.execute("select version from saq_versions")).fetchone()
        if row is None or row[0] != wanted:
            raise SchemaError(f"the queue's tables have version {row and row[0]}, SAQ wants {wanted}")

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:
        """Give back the jobs of workers that fell silent, and forget those workers; returns the jobs' keys.

        SAQ's own sweep waits for each of them in turn until its worker has let go, which a dead one can't, and one that
        is only slow need not: every handler may run twice. Any number of workers may sweep at once.
        """
        async with self.pool.connection() as connection:
            await connection.execute(_FORGET_SILENT)
            held = await (await connection.execute(_HELD, {"queue": self.name})).fetchall()
            return [key for key, seen, status in held if await self._give_back(connection, key, seen, status)]

    async def _give_back(
        self, connection: psycopg.AsyncConnection, key: str, seen: bytes, status: str
    ) -> bool:
        job = self.deserialize(seen, status)
        if job is None or not job.stuck:
            return False
        job.status, job.started, job.error = Status.QUEUED, 0, self.swept_error_message
        values = {"key": key, "seen": seen, "job": self.serialize(job), "now": int(time.time())}
        logger.warning("the worker of job %s fell silent", key)
        return (await connection.execute(_GIVE_BACK, values)).rowcount == 1

    async def write_worker_info(self, worker_id: str, info: WorkerInfo, ttl: int) -> None:
        """A worker is alive; seen by `workers_alive()`."""
        await super().write_worker_info(worker_id, info, ALIVE_SECONDS)


class RedisOutboxQueue(RedisQueue):
    """SAQ's queue in Redis; which workers are alive is kept in PostgreSQL all the same, where readiness looks."""

    def __init__(self, url: str, database: Database) -> None:
        super().__init__(redis.asyncio.from_url(url), name=NAME)
        self._database = database

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:
        """Give the jobs of dead workers to others, without waiting long for each of them in turn."""
        return await super().sweep(lock, min(abort, ABORT_SECONDS))

    async def write_worker_info(self, worker_id: str, info: WorkerInfo, ttl: int) -> None:
        """A worker is alive and reaches Redis; seen by `workers_alive()`."""
        await super().write_worker_info(worker_id, info, ALIVE_SECONDS)
        values = {
            "worker_id": worker_id,
            "stats": json.dumps(info["stats"]),
            "metadata": json.dumps(info["metadata"]),
            "queue": self.name,
            "seconds": ALIVE_SECONDS,
        }
        async with self._database.service(ServiceDoor.JOB) as uow:
            await uow.session.execute(_ALIVE, values)
            await uow.commit()


class JobQueue:
    """What the outbox needs of SAQ. `saq` is for the worker that runs on it."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._heartbeat = settings.job_heartbeat_seconds
        self.saq: Queue
        if settings.redis_url:
            self.saq = RedisOutboxQueue(settings.redis_url, database)
        else:
            pool = AsyncConnectionPool(
                settings.direct_url,
                check=AsyncConnectionPool.check_connection,
                open=False,
                reconnect_timeout=RECONNECT_SECONDS,
            )
            self.saq = PostgresOutboxQueue(
                pool=pool,
                name=NAME,
                min_size=2,
                max_size=settings.job_concurrency + SPARE_CONNECTIONS,
                manage_pool_lifecycle=True,
            )

    async def hand_over(self, event_ids: Iterable[UUID]) -> None:
        """Make a job of each event, unless it has one."""
        for event_id in event_ids:
            await self.saq.enqueue(
                PERFORM,
                key=str(event_id),
                event_id=str(event_id),
                timeout=int(PERFORM_SECONDS) + 30,
                heartbeat=self._heartbeat,
                retries=RETRIES,
                ttl=-1,
            )

    async def without_job(self, event_ids: Sequence[UUID]) -> list[UUID]:
        """Those of the events that have no job."""
        jobs = await self.saq.jobs([str(event_id) for event_id in event_ids]) if event_ids else []
        return [event_id for event_id, job in zip(event_ids, jobs, strict=True) if job is None]

    async def forget_worker(self, worker_id: str) -> None:
        """A worker has stopped in good order: readiness need not wait for its silence."""
        async with self._database.service(ServiceDoor.JOB) as uow:
            await uow.session.execute(_GONE, {"worker_id": worker_id})
            await uow.commit()

    @asynccontextmanager
    async def beating(self, job: Job) -> AsyncIterator[None]:
        """Keep the job from being given to another worker while the block runs and this process lives."""
        over = asyncio.Event()
        beats = asyncio.create_task(_beat(job, self._heartbeat / 3, over))
        try:
            yield
        finally:
            over.set()
            await beats


async def _beat(job: Job, seconds: float, over: asyncio.Event) -> None:
    """Beat until `over`; a beat under way is let finish, since a cancelled query costs its connection."""
    while not await _is_set(over, seconds):
        try:
            await job.update()
        except (psycopg.Error, RedisError, OSError) as error:
            logger.warning("no heartbeat for job %s: %s", job.key, error)


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event is set within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
