"""Rounds of booking while the worker is killed (SIGKILL) at random moments: nothing is lost, nothing happens twice.

Each round books a few sessions and kills a real worker process somewhere in between, while its successor is on its
way. After the last round one worker is left alone until nothing is left to do; then every session must have exactly
one event in the mentor's Google Calendar and one mail for each of the two people.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.calendars import service as calendars
from app.calendars.google import SCOPES
from app.core import clock
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests.booking.support import Desk
from tests.support.processes import Program, kill, start, until
from tests.support.sandbox import MENTOR, RunningSandbox

LATENCY_MS = 120
BOOKINGS = (1, 3)
BOOK_WITHIN_SECONDS = 2.0
KILL_WITHIN_SECONDS = 4.0
KILL_AFTER_PROGRESS_SECONDS = 0.3
PROGRESS_SECONDS = 120.0
SETTLE_SECONDS = 900.0
MINUTES = 30

# What comes by time alone waits for weeks; what failed is tried again within an hour.
_BUSY = sa.text(
    "select count(*) from outbox where state in ('new', 'queued') and key not like 'every:%'"
    " and not payload ? 'anchor_at' and available_at < now() + interval '2 hours'"
)
_DONE = sa.text("select count(*) from outbox where state = 'done' and key not like 'every:%'")
_WORKERS = sa.text("select cast(metadata ->> 'pid' as integer) from saq_stats")
_DEAD = sa.text("select count(*) from outbox where state = 'dead'")
_DELIVERIES = sa.text("select state, count(*) as number from deliveries group by state")
_ATTEMPTS = sa.text("select max(attempts) from outbox")
_STARTS = sa.text("select max(starts) from outbox")


@dataclass
class Kills:
    """A platform whose worker is killed again and again; `rng` decides when."""

    desk: Desk
    sandbox: RunningSandbox
    settings: Settings
    rng: random.Random
    student: UUID = field(init=False)
    sessions: list[UUID] = field(default_factory=list)
    _free: Iterator[datetime] = field(init=False)
    _next: Program | None = None

    async def prepare(self, rounds: int) -> None:
        """A mentor whose every free half hour can be booked, and a student with sessions enough."""
        tokens = await asyncio.to_thread(self.sandbox.google_tokens, MENTOR, SCOPES)
        mentor_id = self.desk.cast["mentor"]
        await calendars.connect(
            self.desk.database,
            self.desk.google,
            mentor_id,
            google_email=MENTOR,
            refresh_token=tokens["refresh_token"],
            scopes=tokens["scope"].split(),
        )
        await self.desk.sql(
            "update mentors set working_hours = null, session_minutes = :minutes, step_minutes = :minutes"
            " where id = :id",
            minutes=MINUTES,
            id=mentor_id,
        )
        await calendars.mirror(self.desk.database, self.desk.google, mentor_id)
        self.student = await self.desk.student(sessions=rounds * BOOKINGS[1])
        offers = await self.desk.offers(self.student, days=40)
        self._free = iter(
            at for at in offers if at > clock.now() + timedelta(days=2)
        )  # nobody is reminded yet

    async def round(self) -> dict[str, Any]:
        """Book, kill the worker, its successor already starting; tells what happened."""
        worker = self._next or await start(self.settings, "jobs")
        await until("the worker is there", lambda: self._is_there(worker))
        self._next = await start(self.settings, "jobs")
        booking, began = asyncio.create_task(self._book()), time.monotonic()
        await (self._pause() if self.rng.random() < 0.5 else self._progress())
        await kill(worker)
        facts = {"killed_after_s": round(time.monotonic() - began, 3), "booked": await booking}
        return facts | {"done": await self._count(_DONE), "left": await self._count(_BUSY)}

    async def _pause(self) -> None:
        """Any moment, however little the worker has done by then."""
        await asyncio.sleep(self.rng.uniform(0, KILL_WITHIN_SECONDS))

    async def _progress(self) -> None:
        """Some moment while the worker is at work, however slow the machine is."""
        wanted = await self._count(_DONE) + self.rng.randint(1, 4)

        async def is_reached() -> bool:
            return await self._count(_DONE) >= wanted or await self._count(_BUSY) == 0

        await until("the worker does something", is_reached, PROGRESS_SECONDS)
        await asyncio.sleep(self.rng.uniform(0, KILL_AFTER_PROGRESS_SECONDS))

    async def settle(self) -> dict[str, Any]:
        """Leave one worker alone until nothing is left, then count. Raises AssertionError if that takes too long."""
        self.sandbox.control.chaos()
        await until("nothing is left to do", self._is_idle, SETTLE_SECONDS)
        return await self._result()

    async def end(self) -> None:
        """Let no worker live on."""
        if self._next is not None:
            await kill(self._next)

    async def _book(self) -> int:
        """Book the next sessions, each at a random moment; returns how many."""
        number = self.rng.randint(*BOOKINGS)
        pauses = [self.rng.uniform(0, BOOK_WITHIN_SECONDS) for _ in range(number)]
        self.sessions += await asyncio.gather(*(self._book_one(next(self._free), pause) for pause in pauses))
        return number

    async def _book_one(self, when: datetime, pause: float) -> UUID:
        await asyncio.sleep(pause)
        booked = await self.desk.book(self.student, when)
        return booked.session.id

    async def _result(self) -> dict[str, Any]:
        items = await asyncio.to_thread(self.sandbox.control.events)
        events = Counter(
            item.get("extendedProperties", {}).get("private", {}).get("session_id") for item in items
        )
        mails = await asyncio.to_thread(self.sandbox.control.mailbox)
        told = Counter(
            (mail["to"][0], session_id)
            for mail in mails
            for session_id in self.sessions
            if f"/sessions/{session_id}" in mail["text"]
        )
        people = len({address for address, _ in told})
        async with self.desk.database.service(ServiceDoor.JOB) as uow:
            rows = await uow.session.execute(_DELIVERIES)
            deliveries = {row.state: row.number for row in rows}
        return {
            "sessions": len(self.sessions),
            "with_one_event": sum(events[str(id_)] == 1 for id_ in self.sessions),
            "events": sum(count for id_, count in events.items() if id_),
            "with_one_mail_each": sum(
                sorted(count for (_, id_), count in told.items() if id_ == session_id) == [1, 1]
                for session_id in self.sessions
            ),
            "mails": told.total(),
            "people": people,
            "deliveries": deliveries,
            "dead": await self._count(_DEAD),
            "most_attempts": await self._count(_ATTEMPTS),
            "most_starts": await self._count(_STARTS),
        }

    async def _is_idle(self) -> bool:
        return await self._count(_BUSY) == 0

    async def _is_there(self, worker: Program) -> bool:
        async with self.desk.database.service(ServiceDoor.JOB) as uow:
            return worker.pid in set(await uow.session.scalars(_WORKERS))

    async def _count(self, statement: sa.TextClause) -> int:
        async with self.desk.database.service(ServiceDoor.JOB) as uow:
            return int(await uow.session.scalar(statement) or 0)


def is_good(result: dict[str, Any]) -> bool:
    """True if nothing was lost and nothing happened twice."""
    sessions = result["sessions"]
    return bool(
        sessions > 0
        and result["with_one_event"] == result["events"] == sessions
        and result["with_one_mail_each"] == sessions
        and result["mails"] == 2 * sessions
        and set(result["deliveries"]) == {"sent"}
        and result["dead"] == 0
    )


async def run(kills: Kills, rounds: int) -> AsyncIterator[dict[str, Any]]:
    """All rounds, then the result: one object each."""
    await kills.prepare(rounds)
    for vendor in ("resend", "google"):
        kills.sandbox.control.chaos(vendor, latency_ms=LATENCY_MS)
    try:
        for number in range(1, rounds + 1):
            yield {"round": number, **await kills.round()}
        result = await kills.settle()
    finally:
        await kills.end()
    yield {"rounds": rounds, **result, "ok": is_good(result)}
