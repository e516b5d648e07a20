"""Booking as the tests of this slice do it: in the name of somebody of the cast, in a unit of work of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.booking import recordings, repository, service
from app.booking import rules as rules_
from app.booking.models import Session, SessionStatus
from app.booking.service import Booked, BookingRefused, Idempotency, SessionFacts
from app.booking.slots import Slot, offered
from app.calendars.google import Google
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.packs import service as packs
from app.packs.models import SessionPack
from tests import cast as casting
from tests.cast import Cast

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Desk:
    """Does what people of the cast want. Names are those of the cast; ids stand for themselves."""

    database: Database
    google: Google
    cast: Cast

    def principal(self, who: str | UUID) -> Principal:
        return Principal(who, Role.STUDENT) if isinstance(who, UUID) else self.cast.principal(who)

    async def offers(self, who: str | UUID, mentor: str = "mentor", days: int = 14) -> list[datetime]:
        """The starts offered to a student within `days` from now."""
        now = clock.now()
        principal = self.principal(who)
        async with self.database.unit_of_work(principal) as uow:
            until = now + timedelta(days=days)
            found = await repository.situation(uow, self.cast[mentor], principal.user_id, now, until)
        seconds = int(now.timestamp())
        snapshot = found.snapshot(rules_.valid_until(found.packs, seconds))
        return starts(offered(found.mentor.rules, snapshot, seconds, seconds, int(until.timestamp())))

    async def book(
        self,
        who: str | UUID,
        start: datetime,
        *,
        mentor: str | UUID = "mentor",
        key: str | None = None,
    ) -> Booked:
        mentor_id = mentor if isinstance(mentor, UUID) else self.cast[mentor]
        async with self.database.unit_of_work(self.principal(who)) as uow:
            return await service.book(
                uow,
                self.database,
                self.google,
                mentor_id=mentor_id,
                start=start,
                idempotency=Idempotency("test", key) if key else None,
            )

    async def move(
        self, who: str | UUID, session_id: UUID, start: datetime, key: str | None = None
    ) -> SessionFacts:
        async with self.database.unit_of_work(self.principal(who)) as uow:
            return await service.reschedule(
                uow,
                self.database,
                self.google,
                session_id=session_id,
                start=start,
                idempotency=Idempotency("test", key) if key else None,
            )

    async def cancel(self, who: str | UUID, session_id: UUID) -> SessionFacts:
        async with self.database.unit_of_work(self.principal(who)) as uow:
            return await service.cancel(uow, session_id)

    async def mark(self, who: str | UUID, session_id: UUID, status: SessionStatus) -> SessionFacts:
        async with self.database.unit_of_work(self.principal(who)) as uow:
            return await service.mark(uow, session_id, status)

    async def agree(self, session_id: UUID, *who: str, agrees: bool = True) -> None:
        """People, by default both of the cast, agree to a recording of a session, or take it back."""
        for name in who or ("student", "mentor"):
            async with self.database.unit_of_work(self.principal(name)) as uow:
                await recordings.decide(uow, session_id, agrees=agrees)

    async def keep(self, session_id: UUID, link: str | None, who: str = "mentor") -> None:
        """Set the link to a session's recording, or remove it."""
        async with self.database.unit_of_work(self.principal(who)) as uow:
            await service.edit(uow, session_id, details={"recording_url": link})

    async def session(self, session_id: UUID) -> Any:
        """The stored row."""
        return await self._one(sa.select(Session).where(Session.id == session_id))

    async def pack(self, pack_id: UUID) -> Any:
        return await self._one(sa.select(SessionPack).where(SessionPack.id == pack_id))

    async def scheduled(self) -> Sequence[Any]:
        """Every scheduled session."""
        query = sa.select(Session).where(Session.status == SessionStatus.SCHEDULED)
        async with self.database.service(ServiceDoor.JOB) as uow:
            return (await uow.session.execute(query)).scalars().all()

    async def events(self, type_: str | None = None) -> list[dict[str, Any]]:
        """Payloads in the outbox, the oldest first; of notifications those about what happened to sessions."""
        query = sa.text(
            "select type, payload from outbox where not payload ? 'anchor_at' order by created_at, id"
        )
        async with self.database.service(ServiceDoor.JOB) as uow:
            rows = (await uow.session.execute(query)).all()
        about = [row for row in rows if "session_id" in row.payload]
        return [row.payload for row in about if type_ is None or row.type == type_]

    async def reminders(self, session_id: UUID) -> list[Any]:
        """What is to be told of a session by time alone, by when it is due: `kind`, `version`, `due`, `state`."""
        return await self.sql(  # type: ignore[no-any-return]
            "select id, payload, payload ->> 'kind' as kind, cast(payload ->> 'version' as integer) as version,"
            " available_at as due, state from outbox"
            " where payload ->> 'session_id' = :id and payload ? 'anchor_at' order by available_at, created_at",
            id=str(session_id),
        )

    async def sql(self, statement: str, **values: Any) -> Any:
        """Arrange something that no service does."""
        async with self.database.service(ServiceDoor.SEED) as uow:
            result = await uow.session.execute(sa.text(statement), values)
            rows = result.all() if result.returns_rows else []
            await uow.commit()
            return rows

    async def student(self, number: int = 0, *, sessions: int = 1, mentor: str = "mentor") -> UUID:
        """Another student with a pack, the mentor's seats raised for them."""
        id_ = new_id()
        mentor_id = self.cast[mentor]
        async with self.database.service(ServiceDoor.SEED) as uow:
            await uow.session.execute(
                sa.text("update mentors set max_active_students = 1000 where id = :id"), {"id": mentor_id}
            )
            await casting.add_user(uow, id_, f"extra-{number}-{id_}@example.test", "Extra", Role.STUDENT)
            await packs.grant(uow, mentor_id=mentor_id, student_id=id_, sessions=sessions, validity_days=45)
            await uow.commit()
        return id_

    async def grant(self, who: str, *, sessions: int = 1, mentor: str = "mentor", days: int = 30) -> UUID:
        """Another pack for somebody of the cast; its id."""
        async with self.database.service(ServiceDoor.SEED) as uow:
            pack_id = await packs.grant(
                uow,
                mentor_id=self.cast[mentor],
                student_id=self.cast[who],
                sessions=sessions,
                validity_days=days,
            )
            await uow.commit()
            return pack_id

    async def _one(self, query: sa.Select[Any]) -> Any:
        async with self.database.service(ServiceDoor.JOB) as uow:
            return (await uow.session.execute(query)).scalar_one()


async def refused(code: str, attempt: Awaitable[object]) -> BookingRefused:
    """The refusal that the attempt must meet."""
    with pytest.raises(BookingRefused) as caught:
        await attempt
    assert caught.value.code == code
    return caught.value


def starts(slots: Sequence[Slot]) -> list[datetime]:
    return [datetime.fromtimestamp(slot.start, UTC) for slot in slots]
