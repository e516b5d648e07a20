"""The queue, in PostgreSQL and in Redis: one job an event, gone when it is done."""

from __future__ import annotations

import psycopg
import pytest

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
