"""The booking transaction beside the same SQL sent by pgbench, the two taking turns: `python -m bench booking`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import uvloop

from app.booking import service
from app.calendars.google import Google
from app.core.db import Database
from app.core.unit_of_work import Principal, Role
from app.settings import Settings
from bench.audience import Audience
from bench.hours import Hours
from bench.people import Pair
from bench.pgbench import Pgbench, Wording
from bench.recording import recorded
from bench.result import Effort, Result, compared, say
from bench.stage import Stage

RECORDED_AHEAD = timedelta(days=200)
"""When the recorded booking takes place: far from now, so that no instant in it is taken for another."""


class Desk:
    """Books in this process as the web does, on a pool of its size."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database(settings)
        self._google = Google(settings)

    async def book(self, pair: Pair, start: datetime) -> None:
        """One booking, from its own unit of work to its commit."""
        async with self._database.unit_of_work(Principal(pair.student_id, Role.STUDENT)) as uow:
            await service.book(uow, self._database, self._google, mentor_id=pair.mentor_id, start=start)

    async def book_for(self, seconds: float, pairs: Sequence[Pair], hours: Hours) -> tuple[int, float]:
        """Each pair books one hour after another; how many, and how long it took."""
        begun = time.perf_counter()

        async def go_on(pair: Pair) -> int:
            done = 0
            while time.perf_counter() - begun < seconds:
                await self.book(pair, hours.next(pair))
                done += 1
            return done

        counts = await asyncio.gather(*(go_on(pair) for pair in pairs))
        return sum(counts), time.perf_counter() - begun

    async def script(self, pair: Pair, pairs: Sequence[Pair], now: datetime) -> str:
        """Book once and give the pgbench script that repeats it. Before the first booking only."""
        start = now.replace(minute=0, second=0, microsecond=0) + RECORDED_AHEAD
        with recorded(self._database) as statements:
            await self.book(pair, start)  # a first connection has questions of its own
            statements.clear()
            await self.book(pair, start + timedelta(hours=1))
        known = {pair.mentor_id: "mentor", pair.student_id: "student", pair.pack_id: "pack"}
        return Wording(start + timedelta(hours=1), known).script(statements, pairs)

    async def close(self) -> None:
        """Give everything back."""
        await self._database.dispose()


def run(stage: Stage, audience: Audience, effort: Effort) -> Iterator[Result]:
    """One result a concurrency: bookings a second beside pgbench's transactions."""
    pairs = audience.pairs
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        desk = Desk(stage.settings)
        script = stage.folder / "booking.sql"
        script.write_text(runner.run(desk.script(pairs[-1], pairs, audience.now)))
        pgbench = Pgbench(stage.binaries / "pgbench", stage.settings.database_url, script)
        try:
            for concurrency in effort.concurrencies:
                yield _beside(runner, desk, pgbench, pairs[:concurrency], audience.hours, effort)
        finally:
            runner.run(desk.close())


def _beside(
    runner: asyncio.Runner,
    desk: Desk,
    pgbench: Pgbench,
    pairs: Sequence[Pair],
    hours: Hours,
    effort: Effort,
) -> Result:
    """Warm both up, then let them take turns."""
    runner.run(desk.book_for(effort.warm_up, pairs, hours))
    per_second = pgbench.run(len(pairs), 0)
    values, baselines, total = [], [], 0
    for _ in range(effort.rounds):
        count, seconds = runner.run(desk.book_for(effort.seconds, pairs, hours))
        values.append(count / seconds)
        total += count
        baselines.append(pgbench.run(len(pairs), round(per_second * effort.seconds)))
    ours, theirs = (" ".join(f"{rate:.0f}" for rate in rates) for rates in (values, baselines))
    say(f"booking transaction, {len(pairs)} at once: {ours} a second; pgbench {theirs}")
    return compared("booking transaction", "bookings/s", values, baselines, n=total, concurrency=len(pairs))
