"""Sessions held and words written about them, each through the service that does it in real life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.booking.models import SessionStatus
from app.core import clock
from app.core.rls import ServiceDoor
from app.core.seen import digest
from app.testimonials import asking, service
from app.testimonials.models import TestimonialStatus as Status
from tests.booking.support import Desk

WORDS = "She looked at my drawing for a long time, and then she took one line away. That was it."
OTHERS = "I came for the technique and stayed for the questions, which I now ask myself every day."


@dataclass(frozen=True)
class Studio(Desk):
    """A desk where sessions are held, too, and spoken of."""

    async def hold(self, count: int, who: str = "student", mentor: str = "mentor") -> list[UUID]:
        """So many further sessions, booked and marked as held; their ids."""
        held = []
        for _ in range(count):
            start = (await self.offers(who, mentor, days=40))[0]
            session = (await self.book(who, start, mentor=mentor)).session
            with clock.standing_at(session.end):
                await self.mark(mentor, session.id, SessionStatus.COMPLETED)
            held.append(session.id)
        return held

    async def write(self, body: str = WORDS, who: str = "student", pack: UUID | None = None) -> UUID:
        async with self.database.unit_of_work(self.principal(who)) as uow, uow.transaction():
            return await service.write(uow, pack or self.cast.packs[who], body)

    async def decide(self, id_: UUID, status: Status, seen: str = WORDS) -> None:
        async with self.database.unit_of_work(self.principal("admin")) as uow, uow.transaction():
            await service.decide(uow, id_, status, seen=digest(seen))

    async def approve(self, id_: UUID, seen: str = WORDS) -> None:
        await self.decide(id_, Status.APPROVED, seen)

    async def ask(self) -> None:
        """What the jobs of all events `session/held` do."""
        for row in await self.sql(
            "select payload from outbox where type = 'session/held' order by created_at"
        ):
            async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
                await asking.ask(uow, UUID(row.payload["pack_id"]))

    async def asked(self) -> list[str]:
        """After which session the student was to be asked, in order."""
        rows = await self.sql(
            "select payload->>'after' as after from outbox where payload->>'kind' = 'testimonial_asked'"
            " order by created_at, id"
        )
        return [row.after for row in rows]

    async def rows(self) -> list[Any]:
        """Every testimonial."""
        found = await self.sql("select * from testimonials order by written_at, id")
        return list(found)
