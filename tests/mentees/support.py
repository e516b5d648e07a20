"""Mentees of the cast's mentor, brought into the situation that a test needs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.seen import digest
from app.mentees import notes, renewals
from app.mentees.notes import Note
from app.packs import seats
from app.packs import service as packs
from app.packs.models import EntryKind
from tests.cast import Cast


@dataclass(frozen=True)
class MenteeDesk:
    """Each call in a transaction of its own. The student has four sessions and a seat with the mentor."""

    database: Database
    cast: Cast

    async def left(self, sessions: int) -> None:
        """Leave the student so many of the four sessions; the seat follows."""
        pair = self.cast["mentor"], self.cast["student"]
        async with self.database.service(ServiceDoor.SEED) as uow, uow.transaction():
            await seats.lock_pair(uow, *pair)
            delta = sessions - 4
            await packs.add_entry(uow, self.cast.packs["student"], EntryKind.COMPLETE, delta)
            await seats.settle(uow, *pair)

    async def renew(self) -> None:
        """The student gets another pack of four."""
        async with self.database.service(ServiceDoor.SEED) as uow, uow.transaction():
            await packs.grant(
                uow,
                mentor_id=self.cast["mentor"],
                student_id=self.cast["student"],
                sessions=4,
                validity_days=30,
            )

    async def lose_seat(self) -> None:
        """The student's seat is released."""
        async with self.database.service(ServiceDoor.SEED) as uow, uow.transaction():
            seat = (await seats.lock_pair(uow, self.cast["mentor"], self.cast["student"])).seat
            assert seat is not None
            await seats.release(uow, seat)

    async def ask(self, student: str = "student", mentor: str = "mentor") -> bool:
        async with self.database.unit_of_work(self.cast.principal(mentor)) as uow, uow.transaction():
            return await renewals.ask(uow, self.cast[student])

    async def keep(self, text: str, *seen: str, mentor: str = "mentor", student: str = "student") -> Note:
        """Save notes as somebody who knows these versions."""
        known: Collection[str] = {digest(one) for one in seen}
        async with self.database.unit_of_work(self.cast.principal(mentor)) as uow, uow.transaction():
            return await notes.keep(uow, self.cast[mentor], self.cast[student], text, known)

    async def kept(self, mentor: str = "mentor", student: str = "student") -> str:
        async with self.database.unit_of_work(self.cast.principal(mentor)) as uow:
            return (await notes.of(uow, self.cast[mentor], self.cast[student])).body

    async def asked_events(self) -> list[dict[str, Any]]:
        """What the outbox holds about requests to renew."""
        found = await self.sql(
            "select payload from outbox where payload->>'kind' = 'renewal_asked' order by created_at"
        )
        return [row.payload for row in found]

    async def sql(self, statement: str, **values: Any) -> list[Any]:
        async with self.database.service(ServiceDoor.SEED) as uow, uow.transaction():
            result = await uow.session.execute(sa.text(statement), values)
            return list(result.all()) if result.returns_rows else []

    @property
    def student_id(self) -> UUID:
        return self.cast["student"]
