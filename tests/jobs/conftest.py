"""Workers on a quick beat, in PostgreSQL and in Redis."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.core import clock
from app.core.db import Database
from app.core.queue import JobQueue
from app.settings import Settings
from jobs.worker import Worker
from tests import cast as casting
from tests.cast import Cast
from tests.support.postgres import FOLDER
from tests.support.redis import running_redis
from tests.support.sandbox import RunningSandbox, running_sandbox

QUICK = {
    "outbox_sweep_seconds": 0.5,
    "job_heartbeat_seconds": 1,
    "job_sweep_seconds": 1,
    "job_concurrency": 5,
    "log_level": "WARNING",
}


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of this test process."""
    with running_redis(FOLDER, tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A running sandbox."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: RunningSandbox) -> RunningSandbox:
    """The running sandbox as after start."""
    served.control.reset()
    return served


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Settings under which dead workers are noticed within seconds; the queue is in PostgreSQL."""
    return dataclasses.replace(settings, **QUICK)  # type: ignore[arg-type]


@pytest.fixture(params=["postgres", "redis"])
def either(request: pytest.FixtureRequest, quick: Settings) -> Settings:
    """The same with either queue."""
    if request.param == "postgres":
        return quick
    return dataclasses.replace(quick, redis_url=request.getfixturevalue("redis_url"))


@pytest.fixture
async def queue(database: Database, either: Settings) -> AsyncIterator[JobQueue]:
    """The queue of `either`, connected and empty."""
    queue = JobQueue(either, database)
    await queue.saq.connect()
    yield queue
    await queue.saq.disconnect()


@pytest.fixture
def _workers_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Workers may run in this process: they leave its signals alone, and the clock is put back afterwards."""
    monkeypatch.setattr(Worker, "SIGNALS", [])
    yield
    clock.follow("")


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """Where business time is moved; nothing is there yet."""
    return tmp_path / "clock.json"


def move(clock_file: Path, by: timedelta) -> None:
    """Business time is `by` ahead from now on."""
    draft = clock_file.with_suffix(".new")
    draft.write_text(json.dumps({"offset_seconds": by.total_seconds()}))
    draft.replace(clock_file)
