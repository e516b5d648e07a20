"""A refused time is answered with the times as they are now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.booking import dates, repository
from app.booking.offers import instant, offers
from app.booking.service import BookingRefused
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork

DAYS: Final = 7
ABOUT_A_TIME: Final = frozenset({"slot_taken", "slot_not_offered", "own_session", "pack_expired"})


@asynccontextmanager
async def with_slots(
    uow: UnitOfWork, mentor_id: UUID | None, start: datetime, zone: str, moving: UUID | None = None
) -> AsyncIterator[None]:
    """Around a booking or a move: a refusal of the time leaves with `slots`, a week from the wanted day on.

    The day is one of `zone`. `moving`: the session to be moved, whose mentor is meant.
    """
    try:
        yield
    except BookingRefused as error:
        if error.code in ABOUT_A_TIME:
            if moving is not None:
                mentor_id = (await repository.find(uow.session, moving)).mentor_id
            if mentor_id is not None:
                error.extra["slots"] = await _slots(uow, mentor_id, start, zone, moving)
        raise


async def _slots(
    uow: UnitOfWork, mentor_id: UUID, start: datetime, zone: str, moving: UUID | None
) -> list[dict[str, Any]]:
    since = dates.midnight(dates.date_of(int(start.timestamp()), zone), zone)
    until = since + int(timedelta(days=DAYS).total_seconds())
    found = await offers(uow, mentor_id, instant(since), instant(until), moving=moving)
    return [
        {"start": iso(instant(slot.start)), "end": iso(instant(slot.end))}
        for slot in found.between(since, until)
    ]
