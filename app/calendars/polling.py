"""What is to be done by time alone. Each calendar gets an event of its own: a slow one delays no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from app.calendars import repository
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.settings import Settings


async def due_mentors(uow: UnitOfWork, settings: Settings) -> Sequence[UUID]:
    """Connected mentors whose mirror is older than the poll interval and not about to be read anyway."""
    return await repository.due_mentors(uow, clock.now(), settings.calendar_poll_minutes)


async def nightly_mentors(uow: UnitOfWork) -> Sequence[UUID]:
    """Every connected mentor: once a day everything is read, to the horizon and 7 days."""
    return await repository.connected_mentors(uow)


async def request_mirrors(uow: UnitOfWork, mentor_ids: Iterable[UUID], *, full: bool = False) -> None:
    """Have these mentors' calendars read soon (`calendar/mirror`)."""
    await _request(uow, "calendar/mirror", mentor_ids, full=full)


async def request_channels(uow: UnitOfWork, mentor_ids: Iterable[UUID]) -> None:
    """Have these mentors' calendars watched anew (`calendar/watch`)."""
    await _request(uow, "calendar/watch", mentor_ids)


async def request_choices(uow: UnitOfWork, mentor_ids: Iterable[UUID]) -> None:
    """Have it seen which calendars these mentors may choose from (`calendar/choices`)."""
    await _request(uow, "calendar/choices", mentor_ids)


async def _request(uow: UnitOfWork, type_: str, mentor_ids: Iterable[UUID], **more: bool) -> None:
    # Such events are many, and nobody looks back at them: this key has them purged like other periodic ones.
    now = clock.now().timestamp()
    for mentor_id in mentor_ids:
        payload = {"mentor_id": str(mentor_id), **more}
        await uow.emit(type_, payload, key=f"every:{type_}:{mentor_id}:{now}")
