"""Seats and the waitlist as the tests of this slice use them: each call in a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.packs import seats, waitlist
from app.packs.models import SeatReservation, SeatStatus
from tests import cast as casting
from tests.cast import Cast

HOLD = timedelta(minutes=35)


@dataclass(frozen=True)
class SeatDesk:
    """Does what people want with the seats of the cast's `mentor`. Names are those of the cast."""

    database: Database
    cast: Cast

    @property
    def mentor_id(self) -> UUID:
        return self.cast["mentor"]

    def id_of(self, who: str | UUID) -> UUID:
        return who if isinstance(who, UUID) else self.cast[who]

    def student(self, who: str | UUID) -> Principal:
        return Principal(self.id_of(who), Role.STUDENT)

    async def newcomers(self, count: int) -> list[UUID]:
        """Further students, without anything."""
        ids = [new_id() for _ in range(count)]
        async with self.database.service(ServiceDoor.SEED) as uow:
            for number, id_ in enumerate(ids):
                await casting.add_user(
                    uow, id_, f"newcomer-{id_}@example.test", f"Newcomer {number}", Role.STUDENT
                )
            await uow.commit()
        return ids

    async def teachers_with_a_line(self, count: int) -> None:
        """Further mentors without a seat, for each of whom the new student waits."""
        async with self.database.service(ServiceDoor.SEED) as uow:
            for number in range(count):
                id_ = new_id()
                name = f"Teacher {number:02}"
                await casting.add_user(uow, id_, f"teacher-{id_}@example.test", name, Role.MENTOR)
                await casting.add_mentor(uow, id_, f"teacher-{id_}", "UTC", None, seats=0)
                await waitlist.join(uow, id_, self.cast["new_student"])
            await uow.commit()

    async def capacity(self, number: int) -> None:
        await self.sql(
            "update mentors set max_active_students = :number where id = :id",
            number=number,
            id=self.mentor_id,
        )

    async def join(self, who: str | UUID) -> None:
        async with self.database.unit_of_work(self.student(who)) as uow, uow.transaction():
            await waitlist.join(uow, self.mentor_id, self.id_of(who))

    async def leave(self, who: str | UUID) -> None:
        async with self.database.unit_of_work(self.student(who)) as uow, uow.transaction():
            await waitlist.leave(uow, self.mentor_id, self.id_of(who))

    async def remove(self, who: str | UUID, by: str = "mentor") -> None:
        place = (await self.places(left=False))[self.id_of(who)]
        async with self.database.unit_of_work(self.cast.principal(by)) as uow, uow.transaction():
            await waitlist.remove(uow, place.id)

    async def take(self, who: str | UUID) -> None:
        async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            await seats.take(uow, self.mentor_id, self.id_of(who))

    async def hold(self, who: str | UUID) -> None:
        async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            await seats.hold(uow, self.mentor_id, self.id_of(who), clock.now() + HOLD)

    async def hold_again(self, who: str | UUID) -> bool:
        async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            return await seats.hold_again(uow, self.mentor_id, self.id_of(who), clock.now() + HOLD)

    async def give_back(self, who: str | UUID) -> None:
        async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            await seats.give_back(uow, self.mentor_id, self.id_of(who))

    async def release(self, who: str | UUID) -> None:
        async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            pair = await seats.lock_pair(uow, self.mentor_id, self.id_of(who))
            assert pair.seat is not None
            await seats.release(uow, pair.seat)

    async def offer(self) -> int:
        """What the job of an event `seats/offer` does."""
        async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            return await seats.offer(uow, self.mentor_id)

    async def expire(self) -> None:
        """What the jobs of all events `seats/expire` that may be due do."""
        for seat in await self.seats():
            async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
                await seats.expire(uow, seat.id)

    async def seats(self) -> Sequence[SeatReservation]:
        """The mentor's live seats, the oldest first."""
        query = (
            sa.select(SeatReservation)
            .where(SeatReservation.mentor_id == self.mentor_id, SeatReservation.status != SeatStatus.RELEASED)
            .order_by(SeatReservation.created_at, SeatReservation.id)
        )
        async with self.database.service(ServiceDoor.JOB) as uow:
            return (await uow.session.execute(query)).scalars().all()

    async def status(self, who: str | UUID) -> SeatStatus | None:
        """The status of the student's live seat."""
        return {seat.student_id: seat.status for seat in await self.seats()}.get(self.id_of(who))

    async def places(self, *, left: bool) -> dict[UUID, Any]:
        """The latest places on the mentor's waitlist by student: those given up, or those still waited on."""
        rows = await self.sql(
            "select id, student_id, joined_at, offered_at, outcome from waitlist"
            " where mentor_id = :id and (left_at is not null) = :left order by joined_at, id",
            id=self.mentor_id,
            left=left,
        )
        return {row.student_id: row for row in rows}

    async def history(self) -> list[tuple[UUID, SeatStatus]]:
        """Every change of a seat of the mentor's in its order: (seat, status)."""
        rows = await self.sql(
            "select seat_id, status from seat_entries where mentor_id = :id order by id", id=self.mentor_id
        )
        return [(row.seat_id, SeatStatus(row.status)) for row in rows]

    async def told(self) -> list[str]:
        """Kinds of the notifications so far, the oldest first, but for those that come by time alone."""
        rows = await self.sql(
            "select payload->>'kind' as kind from outbox where type = 'notification/send'"
            " and available_at <= created_at order by created_at, id"
        )
        return [row.kind for row in rows if row.kind != "pack_granted"]

    async def sql(self, statement: str, **values: Any) -> Any:
        """Arrange or ask something that no service does."""
        async with self.database.service(ServiceDoor.SEED) as uow:
            result = await uow.session.execute(sa.text(statement), values)
            rows = result.all() if result.returns_rows else []
            await uow.commit()
            return rows
