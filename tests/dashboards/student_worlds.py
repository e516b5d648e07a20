"""A student's past at random, written straight into the tables; the triggers keep what they keep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role, UnitOfWork
from tests import cast as casting

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SEATS = (None, "released", "offered", "held", "active", "active", "active", "grace")
USES = ("complete", "complete", "complete", "no_show", "late_cancel")
STATUS = {"complete": "completed", "no_show": "no_show", "late_cancel": "canceled"}


@dataclass
class StudentWorld:
    """Fills the tables for one student as of `now`."""

    uow: UnitOfWork
    student_id: UUID
    now: datetime
    random: Random
    booked: int = 0

    async def add(self, table: str, **values: Any) -> UUID:
        id_ = new_id()
        row = {"id": id_} | values
        names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        await self.uow.session.execute(sa.text(f"insert into {table} ({names}) values ({marks})"), row)
        return id_

    async def mentor(self, number: int) -> None:
        """A mentor with up to three packs of the student's and perhaps a seat."""
        mentor_id = new_id()
        await casting.add_user(
            self.uow, mentor_id, f"teacher-{mentor_id}@example.test", f"Teacher {number}", Role.MENTOR
        )
        await casting.add_mentor(self.uow, mentor_id, f"teacher-{mentor_id}", "UTC", None)
        pair = {"mentor_id": mentor_id, "student_id": self.student_id}
        for _ in range(self.random.randint(0, 3)):
            await self.pack(pair)
        await self.seat(pair, self.random.choice(SEATS))

    async def pack(self, pair: dict[str, UUID]) -> None:
        total = self.random.randint(1, 6)
        bought = self.now - self.random.random() * 60 * DAY
        pack_id = await self.add(
            "session_packs",
            **pair,
            status="active",
            frozen=False,
            total_sessions=total,
            remaining_sessions=0,
            scheduled_sessions=0,
            purchased_at=bought,
            expires_at=bought + self.random.randint(20, 90) * DAY,
        )
        await self.entry(pack_id, "purchase", total)
        used = self.random.randint(0, total)
        for _ in range(used):
            await self.use(pair, pack_id, self.random.choice(USES))
        left = total - used
        ahead = self.random.randint(0, left)
        for _ in range(ahead):
            await self.session(pair, pack_id, "scheduled", self.random.choice((-1, 1)))
        if ahead == 0 and left and self.random.random() < 0.4:
            kind, status = self.random.choice((("expire", "expired"), ("refund", "refunded")))
            await self.entry(pack_id, kind, -left)
            await self.uow.session.execute(
                sa.text("update session_packs set status = :status where id = :id"),
                {"status": status, "id": pack_id},
            )

    async def use(self, pair: dict[str, UUID], pack_id: UUID, kind: str) -> None:
        """A session that is over; now and then it was marked by mistake first."""
        session_id = await self.session(pair, pack_id, STATUS[kind], -1)
        if self.random.random() < 0.3:
            await self.entry(pack_id, "no_show", -1, session_id)
            await self.entry(pack_id, "reversal", 1, session_id)
        await self.entry(pack_id, kind, -1, session_id)

    async def session(self, pair: dict[str, UUID], pack_id: UUID, status: str, side: int) -> UUID:
        self.booked += 1
        start = self.now + side * (self.booked * 5 * HOUR + self.random.randint(0, 59) * HOUR / 60)
        return await self.add(
            "sessions",
            **pair,
            pack_id=pack_id,
            status=status,
            scheduled_at=start,
            ends_at=start + HOUR,
            blocked=f"[{start.isoformat()},{(start + HOUR).isoformat()})",
            booked_at=self.now,
            completed_at=start + HOUR if status in ("completed", "no_show") else None,
            canceled_at=start if status == "canceled" else None,
            version=0,
            notes="",
            recording_consent=False,
            event_sync="none",
            event_generation=0,
        )

    async def entry(self, pack_id: UUID, kind: str, delta: int, session_id: UUID | None = None) -> None:
        await self.add(
            "pack_entries",
            pack_id=pack_id,
            kind=kind,
            delta=delta,
            session_id=session_id,
            reason="",
            at=self.now,
        )

    async def seat(self, pair: dict[str, UUID], status: str | None) -> None:
        if status is not None:
            ends = self.now + 2 * DAY if status in ("offered", "held", "grace") else None
            await self.add(
                "seat_reservations",
                **pair,
                status=status,
                seat_expires_at=ends,
                created_at=self.now,
                changed_at=self.now,
            )


async def fill(database: Database, student_id: UUID, now: datetime, seed: int, mentors: int) -> None:
    """A past with so many further mentors, the same for the same seed."""
    async with database.service(ServiceDoor.SEED) as uow:
        world = StudentWorld(uow, student_id, now, Random(seed))
        for number in range(mentors):
            await world.mentor(seed * 100 + number)
        await uow.commit()
