"""Sessions: booked, moved, canceled, marked, undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.booking import repository as booking_repository
from app.booking import rules as booking_rules
from app.booking import service as booking
from app.booking.models import SessionStatus
from app.booking.slots import offered
from app.core import clock
from tests.booking.support import starts
from tests.soak.life.doing import Doing, NothingToDo


class AtSessions(Doing):
    """What students and mentors do with sessions."""

    async def book(self) -> None:
        pair = await self._one(
            "select distinct k.mentor_id, k.student_id from session_packs k join seat_reservations r"
            " on r.mentor_id = k.mentor_id and r.student_id = k.student_id and r.status = 'active'"
            " where k.status = 'active' and k.remaining_sessions > k.scheduled_sessions and k.expires_at > :now"
        )
        await self._book(pair.mentor_id, pair.student_id)

    async def _book(self, mentor_id: UUID, student_id: UUID) -> None:
        start = await self._free(mentor_id, student_id)
        async with self.world.database.unit_of_work(self.world.as_student(student_id)) as uow:
            done = await booking.book(
                uow, self.world.database, self.world.platform.google, mentor_id=mentor_id, start=start
            )
        await self._note_session("book", done.session.id)

    async def move(self) -> None:
        row = await self._one("select * from sessions where status = 'scheduled' and scheduled_at > :now")
        start = await self._free(row.mentor_id, row.student_id)
        async with self.world.database.unit_of_work(self.world.as_student(row.student_id)) as uow:
            await booking.reschedule(
                uow, self.world.database, self.world.platform.google, session_id=row.id, start=start
            )
        if start != row.scheduled_at:
            await self._note_session("move", row.id)

    async def move_back(self) -> None:
        """To a time where the session has been before: what was to be told of it then must not be told twice."""
        row = await self._one("select * from sessions where status = 'scheduled' and scheduled_at > :now")
        earlier = {event.start for event in self.history.of("book", "move") if event.session_id == row.id}
        earlier -= {row.scheduled_at}
        if not earlier:
            raise NothingToDo
        start = self.rng.choice(sorted(earlier))
        async with self.world.database.unit_of_work(self.world.as_student(row.student_id)) as uow:
            await booking.reschedule(
                uow, self.world.database, self.world.platform.google, session_id=row.id, start=start
            )
        await self._note_session("move", row.id)

    async def cancel_as_student(self) -> None:
        row = await self._one("select * from sessions where status = 'scheduled' and scheduled_at > :now")
        async with self.world.database.unit_of_work(self.world.as_student(row.student_id)) as uow:
            await booking.cancel(uow, row.id)
        await self._note_session("cancel", row.id)

    async def cancel_as_mentor(self) -> None:
        row = await self._one("select * from sessions where status = 'scheduled' and scheduled_at > :now")
        async with self.world.database.unit_of_work(self.world.as_mentor(row.mentor_id)) as uow:
            await booking.cancel(uow, row.id)
        await self._note_session("cancel", row.id)

    async def mark(self) -> None:
        row = await self._one("select * from sessions where status = 'scheduled' and scheduled_at < :now")
        status = self.rng.choices([SessionStatus.COMPLETED, SessionStatus.NO_SHOW], [5, 1])[0]
        await self._mark(row, status)

    async def mark_otherwise(self) -> None:
        row = await self._one(
            "select * from sessions where status in ('completed', 'no_show') and scheduled_at > :now - interval '5 days'"
        )
        other = SessionStatus.NO_SHOW if row.status == "completed" else SessionStatus.COMPLETED
        await self._mark(row, other)

    async def undo(self) -> None:
        row = await self._one(
            "select * from sessions where (status in ('completed', 'no_show')"
            " and scheduled_at > :now - interval '5 days') or (status = 'canceled' and scheduled_at > :now)"
        )
        await self._mark(row, SessionStatus.SCHEDULED)

    async def _mark(self, row: Any, status: SessionStatus) -> None:
        async with self.world.database.unit_of_work(self.world.as_mentor(row.mentor_id)) as uow:
            await booking.mark(uow, row.id, status)
        await self._note_session("mark", row.id, before=str(row.status))

    async def _free(self, mentor_id: UUID, student_id: UUID) -> Any:
        """A start that is offered, rather sooner than later."""
        now = clock.now()
        until = now + timedelta(days=self.rng.choice((2, 3, 7, 14)))
        async with self.world.database.unit_of_work(self.world.as_student(student_id)) as uow:
            found = await booking_repository.situation(uow, mentor_id, student_id, now, until)
        seconds = int(now.timestamp())
        snapshot = found.snapshot(booking_rules.valid_until(found.packs, seconds))
        slots = offered(found.mentor.rules, snapshot, seconds, seconds, int(until.timestamp()))
        if not slots:
            raise NothingToDo
        return self.rng.choice(starts(slots))

    async def _note_session(self, what: str, session_id: UUID, **more: Any) -> None:
        (row,) = await self.sql("select * from sessions where id = :id", id=session_id)
        facts = {
            "session_id": row.id,
            "mentor_id": row.mentor_id,
            "student_id": row.student_id,
            "start": row.scheduled_at,
            "status": str(row.status),
        }
        self.history.note(clock.now(), what, **facts, **more)
