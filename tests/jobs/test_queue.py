"""The queue, in PostgreSQL and in Redis: one job an event, gone when it is done."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from saq.job import Job, Status
from saq.utils import now

from app.core.db import Database
from app.core.ids import new_id
from app.core.queue import NAME, RETRIES, JobQueue, SchemaError
from app.settings import Settings


@pytest.fixture(autouse=True)
async def _empty(queue: JobQueue) -> None:
    if hasattr(queue.saq, "redis"):
        await queue.saq.redis.flushdb()


async def test_an_event_has_one_job(queue: JobQueue) -> None:
    event_id, other_id = new_id(), new_id()
    await queue.hand_over([event_id])
    await queue.hand_over([event_id])
    assert await queue.saq.count("queued") == 1
    assert await queue.without_job([event_id, other_id]) == [other_id]
    assert await queue.without_job([]) == []


async def test_a_job_survives_its_workers_and_no_finished_job_stays(queue: JobQueue) -> None:
    event_id = new_id()
    await queue.hand_over([event_id])
    job = await queue.saq.dequeue(timeout=5)
    assert job is not None
    assert (job.key, job.kwargs) == (str(event_id), {"event_id": str(event_id)})
    assert (job.retries, job.heartbeat, job.ttl) == (RETRIES, 1, -1)
    assert job.timeout > 60
    assert await queue.without_job([event_id]) == []
    await job.finish(job.status.COMPLETE)
    assert await queue.without_job([event_id]) == [event_id]
    await queue.hand_over([event_id])
    assert await queue.saq.count("queued") == 1


async def test_a_job_whose_worker_fell_silent_is_given_back_once(
    queue: JobQueue, quick: Settings, database: Database
) -> None:
    silent, lively = new_id(), new_id()
    await queue.hand_over([silent, lively])
    jobs = [await queue.saq.dequeue(timeout=5) for _ in range(2)]
    held = {job.key: job for job in jobs if job is not None}
    assert set(held) == {str(silent), str(lively)}
    for job in held.values():
        job.started = now()
        await job.update(status=Status.ACTIVE)
    await age(queue, held[str(silent)], now() - 60_000)
    other = JobQueue(quick, database)
    await other.saq.connect()
    sweepers = [queue.saq] if hasattr(queue.saq, "redis") else [queue.saq, other.saq, queue.saq]
    swept = await asyncio.gather(*(sweeper.sweep(lock=1) for sweeper in sweepers))
    assert [key.rpartition(":")[2] for keys in swept for key in keys] == [str(silent)]
    again = await queue.saq.dequeue(timeout=5)
    assert again is not None
    assert again.key == str(silent)
    assert await queue.saq.count("active") == 2
    await other.saq.disconnect()


async def age(queue: JobQueue, job: Job, touched: int) -> None:
    """Let the job have been touched long ago: its worker is dead."""
    job.touched = touched
    job.started = touched
    raw = queue.saq.serialize(job)
    if hasattr(queue.saq, "redis"):
        await queue.saq.redis.set(job.id, raw)
    else:
        async with queue.saq.pool.connection() as connection:  # type: ignore[attr-defined]
            await connection.execute("update saq_jobs set job = %s where key = %s", [raw, job.key])


async def test_a_worker_is_alive_until_it_says_goodbye(queue: JobQueue, admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:

        def alive() -> int:
            row = connection.execute("select workers_alive()").fetchone()
            return row[0] if row else -1

        assert alive() == 0
        for worker in ("one", "two", "two"):
            await queue.saq.worker_info(worker, queue_key=NAME)
        assert alive() == 2
        await queue.forget_worker("one")
        assert alive() == 1
        connection.execute("update saq_stats set expire_at = expire_at - 6")
        assert alive() == 0


async def test_another_schema_is_noticed_at_the_start(
    database: Database, quick: Settings, admin_url: str
) -> None:
    queue = JobQueue(quick, database)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("update saq_versions set version = version + 1")
        try:
            with pytest.raises(SchemaError, match="have version 4, SAQ wants 3"):
                await queue.saq.connect()
        finally:
            connection.execute("update saq_versions set version = version - 1")
            await queue.saq.pool.close()  # type: ignore[attr-defined]
