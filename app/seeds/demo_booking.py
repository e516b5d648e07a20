"""Booking for the demo: at whatever time is on offer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.booking import book, repository
from app.booking.slots import offered
from app.core import clock
from app.core.unit_of_work import Principal, Role
from app.wiring import Platform


async def book_around(
    platform: Platform, mentor_id: UUID, student_id: UUID, around: datetime
) -> tuple[UUID, datetime] | None:
    """Book the first time on offer from `around` on; the session's id and end, None if nothing is free."""
    async with platform.database.unit_of_work(Principal(student_id, Role.STUDENT)) as uow:
        until = around + timedelta(days=14)
        seen = await repository.situation(uow, mentor_id, student_id, around, until)
        window = int(around.timestamp()), int(until.timestamp())
        now = int(clock.now().timestamp())
        slots = offered(seen.mentor.rules, seen.snapshot(None), now, *window)
        if not slots:
            return None
        start = datetime.fromtimestamp(slots[0].start, UTC)
        done = await book.book(uow, platform.database, platform.google, mentor_id=mentor_id, start=start)
        return done.session.id, done.session.end
