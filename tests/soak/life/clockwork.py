"""Time and the workers of a played studio: moved through everything that is due, killed, away for hours."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg
import sqlalchemy as sa

from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests.support.processes import Program, kill, start, until
from tests.support.sandbox import RunningSandbox

STRIDE = timedelta(hours=4)
SHORT = timedelta(seconds=20)
PATIENCE_SECONDS = 300.0
KILL_WITHIN_SECONDS = 2.0
WAKE_EVERY_SECONDS = 0.1
DOWN_SECONDS = 10.0

_WORKERS = sa.text("select workers_alive()")


@dataclass
class Clockwork:
    """`gaps`: spans of business time in which nobody worked: what became due then was first seen at their end."""

    settings: Settings
    sandbox: RunningSandbox
    database: Database
    rng: random.Random
    workers: int
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)
    kills: int = 0
    _workers: list[Program] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Clockwork]:
        """Workers at work, and a relay that looks at the clock ten times a second, so that a run is quick."""
        self.sandbox.control.http.timeout = PATIENCE_SECONDS
        waking = asyncio.create_task(self._wake())
        try:
            await self._staff()
            yield self
        finally:
            waking.cancel()
            await asyncio.gather(waking, return_exceptions=True)
            await self.dismiss()

    async def advance(self, target: datetime) -> None:
        """Let business time be `target`, stopping wherever something becomes due; all of it is done then."""
        while True:
            step = min(target, clock.now() + STRIDE)
            await self._move(step, jump=False)
            if step >= target:
                return

    async def advance_while_killing(self, target: datetime) -> None:
        """As `advance`, and one worker is killed at some moment of it; another takes its place."""
        moving = asyncio.create_task(self.advance(target))
        await asyncio.sleep(self.rng.uniform(0, KILL_WITHIN_SECONDS))
        await self.kill_one()
        await moving

    async def kill_one(self) -> None:
        """SIGKILL for one worker, and a successor."""
        victim = self._workers.pop(self.rng.randrange(len(self._workers)))
        await kill(victim)
        self.kills += 1
        await self._staff()

    async def dismiss(self) -> None:
        """Kill every worker: from now on nobody works."""
        await asyncio.gather(*(kill(worker) for worker in self._workers))
        self._workers = []

    @asynccontextmanager
    async def nobody_works(self, span: timedelta) -> AsyncIterator[None]:
        """For the block, and for `span` of business time after it, no worker lives."""
        await self.settle()
        began = clock.now()
        await self.dismiss()
        yield
        target = clock.now() + span
        moving = asyncio.create_task(self._move(target, jump=True))
        await until("time has moved", lambda: self._is_at(target), DOWN_SECONDS)
        self.gaps.append((began, clock.now()))
        await self._staff()
        await moving

    async def settle(self) -> None:
        """Wait until nothing is left to do that is due."""
        await self._move(clock.now(), jump=True)

    async def _move(self, target: datetime, *, jump: bool) -> None:
        control = self.sandbox.control
        if target - clock.now() < SHORT:  # by the time this is heard it may lie in the past
            await asyncio.to_thread(control.advance, "PT1S", jump=jump)
        else:
            await asyncio.to_thread(control.set_clock, target.isoformat(), jump=jump)

    async def _is_at(self, target: datetime) -> bool:
        return clock.now() >= target

    async def _staff(self) -> None:
        """As many workers as there should be, at least one of them at work."""
        while len(self._workers) < self.workers:
            self._workers.append(await start(self.settings, "jobs"))
        await until("a worker is there", self._is_somebody_there)

    async def _is_somebody_there(self) -> bool:
        async with self.database.service(ServiceDoor.HEALTH) as uow:
            return bool((await uow.session.execute(_WORKERS)).scalar_one())

    async def _wake(self) -> None:
        async with await psycopg.AsyncConnection.connect(self.settings.direct_url, autocommit=True) as line:
            with contextlib.suppress(asyncio.CancelledError):
                while True:
                    await line.execute("notify outbox")
                    await asyncio.sleep(WAKE_EVERY_SECONDS)
