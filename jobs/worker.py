"""The worker process: a relay that hands outbox events to the queue, and SAQ taking them from it.

Several workers share the work. One may be killed at any moment: what it had begun is begun again by another.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import saq
from saq.types import Context

from app import wiring
from app.core import outbox
from app.core.outbox import Event
from app.core.queue import PERFORM, JobQueue
from app.core.relay import Relay
from app.core.tasks import end
from app.core.timetable import Timetable
from app.settings import Settings
from app.wiring import Platform
from jobs.events import EVENTS, periodic

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3  # for jobs under way when the worker is told to stop; the rest is done by another
DEQUEUE_SECONDS = 1.0


class Worker(saq.Worker[Context]):
    """SAQ's worker, which stops as soon as its jobs are done: its housekeeping naps are not waited for."""

    _upkeep: Sequence[asyncio.Task[None]] = ()

    async def upkeep(self) -> list[asyncio.Task[None]]:
        """Start the housekeeping."""
        self._upkeep = tasks = await super().upkeep()
        return tasks

    async def stop(self) -> None:
        """Let jobs finish within the grace period; those that don't go back to the queue."""
        self.event.set()
        for task in self._upkeep:
            task.cancel()
        await super().stop()


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises if the relay ends by itself: the process must not go on without it."""
    platform = wiring.build(settings)
    queue = JobQueue(settings, platform.database)
    await queue.saq.connect()
    worker = make_worker(platform, queue)
    timetable = Timetable(periodic(settings))
    relay = Relay(platform.database, queue, timetable, settings.outbox_sweep_seconds)
    working = asyncio.create_task(worker.start())
    relaying = asyncio.create_task(relay.run(settings.direct_url))
    try:
        await asyncio.wait({working, relaying}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(relaying)
        await worker.stop()
        outcomes = await asyncio.gather(working, relaying, return_exceptions=True)
        await queue.forget_worker(worker.id)
        await queue.saq.disconnect()
        await platform.close()
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


def make_worker(platform: Platform, queue: JobQueue) -> Worker:
    """A worker on `queue` that performs the platform's outbox events."""
    settings = platform.settings
    return Worker(
        queue.saq,
        functions=[(PERFORM, partial(perform, platform, queue))],
        concurrency=settings.job_concurrency,
        timers={"schedule": 1, "worker_info": 1, "sweep": settings.job_sweep_seconds, "abort": 1},
        dequeue_timeout=DEQUEUE_SECONDS,
        shutdown_grace_period_s=GRACE_SECONDS,
        metadata={"host": socket.gethostname(), "pid": os.getpid()},
    )


async def perform(platform: Platform, queue: JobQueue, context: Context, *, event_id: str) -> None:
    """The one SAQ function: attempt an outbox event."""

    async def handle(event: Event) -> None:
        await EVENTS[event.type](platform, event)

    async with queue.beating(context["job"]):
        await outbox.perform(platform.database, UUID(event_id), handle)
