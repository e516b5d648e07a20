"""Reminders as workers send them, and what an account of every change to the sessions says they should have been."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core import clock, outbox
from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.wiring import Platform
from jobs.events import send_notification

HOUR = timedelta(hours=1)
# kind: how long before the start it is due, and for how long it is of use from then on
KINDS = {"session_reminder_day": (24 * HOUR, 23 * HOUR), "session_reminder_hour": (HOUR, HOUR)}
OUTCOMES = sa.text(
    "select o.payload ->> 'session_id' as session_id, cast(o.payload ->> 'version' as integer) as version,"
    " d.kind, d.recipient_id, d.state, d.reason"
    " from deliveries d join outbox o on o.id = d.event_id where o.payload ? 'anchor_at'"
)

Told = tuple[UUID, int, str, UUID]  # session, version that set its start, kind, who


@dataclass
class Start:
    """A start that a session was given: by a booking, a move or an undo, until the next change of either sort."""

    session_id: UUID
    version: int
    people: tuple[UUID, UUID]
    at: datetime
    set_at: datetime
    ended: bool = False
    told: set[str] = field(default_factory=set)  # kinds that were decided about


@dataclass
class Account:
    """What was done to the sessions, and so what people must have been reminded of. It asks the platform nothing."""

    starts: list[Start] = field(default_factory=list)
    versions: dict[UUID, int] = field(default_factory=dict)
    outcomes: dict[Told, tuple[str, str | None]] = field(default_factory=dict)
    decided: dict[Told, datetime] = field(default_factory=dict)

    def begin(self, session_id: UUID, people: tuple[UUID, UUID], at: datetime, now: datetime) -> None:
        """A booking, a move or an undo."""
        self.change(session_id, ends=True)
        version = self.versions[session_id]
        self.starts.append(Start(session_id, version, people, at, now))

    def change(self, session_id: UUID, *, ends: bool) -> None:
        """Another version of the session; `ends`: it takes place at its start no more."""
        self.versions[session_id] = self.versions.get(session_id, -1) + 1
        for start in self.starts:
            if start.session_id == session_id and ends:
                start.ended = True

    def due(self) -> list[datetime]:
        """When something is to be sent, of what was not decided about yet."""
        return sorted(
            start.at - before
            for start in self.starts
            for kind, (before, _) in KINDS.items()
            if kind not in start.told and start.at - before > start.set_at
        )

    def work(self, now: datetime) -> None:
        """Somebody works at `now`: whatever is due is sent, or not."""
        for start in self.starts:
            for kind, (before, lasts) in KINDS.items():
                due = start.at - before
                if kind in start.told or not start.set_at < due <= now:
                    continue
                start.told.add(kind)
                reason = "outdated" if start.ended else "late" if now >= due + lasts else None
                for who in start.people:
                    key = (start.session_id, start.version, kind, who)
                    self.outcomes[key] = ("skipped" if reason else "sent", reason)
                    self.decided[key] = now


@dataclass(frozen=True)
class Crew:
    """Workers that share what is due; each event may be performed again by whoever has it still in hand."""

    platform: Platform
    chance: random.Random
    workers: int = 3

    async def work(self) -> None:
        """Perform everything that is due."""
        await asyncio.gather(*(self._work() for _ in range(self.workers)))

    async def _work(self) -> None:
        while True:
            async with self.platform.database.service(ServiceDoor.JOB) as uow:
                claimed = await outbox.claim_due(uow, clock.now(), limit=3)
                await uow.commit()
            if not claimed:
                return
            again = [event_id for event_id in claimed if self.chance.random() < 0.3]
            await asyncio.gather(
                *(
                    outbox.perform(self.platform.database, event_id, self._handle)
                    for event_id in claimed + again
                )
            )

    async def _handle(self, event: Event) -> None:
        """Nothing but reminders is looked at."""
        if event.payload.get("kind") in KINDS:
            await send_notification(self.platform, event)
            if self.chance.random() < 0.2:
                await send_notification(self.platform, event)

    async def outcomes(self) -> dict[Told, tuple[str, str | None]]:
        """What became of every reminder. Raises AssertionError if one was recorded twice."""
        rows = await self._rows(OUTCOMES)
        found = {
            (UUID(row.session_id), row.version, row.kind, row.recipient_id): (row.state, row.reason)
            for row in rows
            if row.kind in KINDS
        }
        assert len(found) == sum(row.kind in KINDS for row in rows)
        return found

    async def left(self) -> list[datetime]:
        """When reminders are due that nothing was decided about yet."""
        rows = await self._rows(
            sa.text(
                "select available_at from outbox o where state <> 'done' and payload ->> 'kind' = any(:kinds)"
                " and not exists (select 1 from deliveries d where d.event_id = o.id) order by available_at"
            ).bindparams(kinds=list(KINDS))
        )
        return [row.available_at for row in rows]

    async def _rows(self, query: sa.TextClause) -> Sequence[Any]:
        async with self.platform.database.service(ServiceDoor.JOB) as uow:
            return (await uow.session.execute(query)).all()
