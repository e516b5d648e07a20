"""Sessions marked and disputed, each through the service that does it in real life."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.booking import reverse
from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from app.core.errors import Refused
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal
from app.disputes import service
from app.disputes.models import DisputeStatus
from tests.booking.support import Desk

COMPLETED, NO_SHOW = SessionStatus.COMPLETED, SessionStatus.NO_SHOW
SCHEDULED, CANCELED = SessionStatus.SCHEDULED, SessionStatus.CANCELED
UPHELD, REJECTED = DisputeStatus.UPHELD, DisputeStatus.REJECTED
REASON = "I was in the room from the first minute on. Nobody came, and nobody wrote."
ANSWER = "We looked at who was in the room, and this is how it was."


@dataclass(frozen=True)
class Court(Desk):
    """A desk where marks are disputed, too."""

    async def marked(
        self, session: SessionFacts, status: SessionStatus = NO_SHOW, at: datetime | None = None
    ) -> datetime:
        """The session marked by its mentor, a while after its end; when that was."""
        at = at or session.end + timedelta(minutes=20)
        with clock.standing_at(at):
            await self.mark("mentor", session.id, status)
        return at

    async def dispute(self, session_id: UUID, reason: str = REASON, who: str | UUID = "student") -> UUID:
        async with self.database.unit_of_work(self.principal(who)) as uow:
            return await service.dispute(uow, session_id, reason)

    async def concede(self, dispute_id: UUID, who: str = "mentor") -> None:
        async with self.database.unit_of_work(self.principal(who)) as uow:
            await service.agree(uow, dispute_id)

    async def withdraw(self, dispute_id: UUID, who: str = "student") -> None:
        async with self.database.unit_of_work(self.principal(who)) as uow:
            await service.withdraw(uow, dispute_id)

    async def decide(
        self, dispute_id: UUID, status: DisputeStatus, answer: str = ANSWER, who: str | Principal = "admin"
    ) -> None:
        principal = self.cast.principal(who) if isinstance(who, str) else who
        async with self.database.unit_of_work(principal) as uow:
            await service.decide(uow, dispute_id, status, answer)

    async def disputed(self, session: SessionFacts, status: SessionStatus = NO_SHOW) -> tuple[UUID, datetime]:
        """The session marked and disputed an hour later; the dispute and when that was."""
        at = await self.marked(session, status) + timedelta(hours=1)
        with clock.standing_at(at):
            return await self.dispute(session.id), at

    async def seats(self) -> None:
        """What the jobs of all events `session/reversed` do."""
        for row in await self.sql(
            "select payload from outbox where type = 'session/reversed' order by created_at"
        ):
            async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
                await reverse.seat_again(uow, UUID(row.payload["session_id"]))

    async def rows(self) -> list[Any]:
        """Every dispute."""
        return list(await self.sql("select * from session_disputes order by opened_at, id"))

    async def stay(self, session: SessionFacts, who: str, minutes: tuple[int, int]) -> None:
        """A stay in the room, from and to so many minutes after the session's start."""
        since, until = (session.start + timedelta(minutes=minute) for minute in minutes)
        await self.sql(
            "insert into session_visits (id, session_id, user_id, joined_at, seen_at, left_at)"
            " values (:id, :session, :who, :since, :until, :until)",
            id=new_id(), session=session.id, who=self.cast[who], since=since, until=until,
        )  # fmt: skip

    async def ledger(self, session_id: UUID) -> list[str]:
        """What the ledger says of a session, in order: `no_show -1`."""
        rows = await self.sql(
            "select kind, delta from pack_entries where session_id = :id order by at, id", id=session_id
        )
        return [f"{row.kind} {row.delta:+}" for row in rows]

    async def demand_sums(self) -> None:
        """Every pack holds what its ledger sums up to."""
        wrong = await self.sql(
            "select p.id from session_packs p where p.remaining_sessions <>"
            " (select coalesce(sum(e.delta), 0) from pack_entries e where e.pack_id = p.id)"
        )
        assert wrong == []

    async def told(self, kind: str) -> int:
        """How many events there are of a kind of notification."""
        return len(await self.sql("select 1 from outbox where payload ->> 'kind' = :kind", kind=kind))


async def no(code: str, attempt: Awaitable[object]) -> Refused:
    """The refusal that the attempt must meet."""
    with pytest.raises(Refused) as caught:
        await attempt
    assert caught.value.code == code
    return caught.value
