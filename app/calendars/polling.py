"""Which mirrors are to be read by time alone. Each becomes an event of its own: one slow calendar delays no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from app.calendars import repository
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.settings import Settings


async def due_mentors(uow: UnitOfWork, settings: Settings) -> Sequence[UUID]:
    """Connected mentors whose mirror is older than `calendar_poll_minutes` and not about to be read anyway."""
    return await repository.due_mentors(uow, clock.now(), settings.calendar_poll_minutes)


async def nightly_mentors(uow: UnitOfWork) -> Sequence[UUID]:
    """Every connected mentor: once a day everything is read, to the horizon and 7 days."""
    return await repository.connected_mentors(uow)


async def request_mirrors(uow: UnitOfWork, mentor_ids: Iterable[UUID], *, full: bool = False) -> None:
    """Have these mentors' calendars read soon (`calendar/mirror`)."""
    # Such events are many, and nobody looks back at them: this key has them purged like other periodic ones.
    now = clock.now().timestamp()
    for mentor_id in mentor_ids:
        payload = {"mentor_id": str(mentor_id), "full": full}
        await uow.emit("calendar/mirror", payload, key=f"every:calendar/mirror:{mentor_id}:{full}:{now}")
