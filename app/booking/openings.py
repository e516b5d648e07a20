"""When mentors are free next, for lists and profiles: any number of mentors with one query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.booking import repository
from app.booking.slots import offered
from app.calendars.models import CalendarState
from app.core import clock
from app.core.unit_of_work import UnitOfWork


async def next_free(
    uow: UnitOfWork, mentor_ids: Sequence[UUID], *, count: int, days: int = 21
) -> dict[UUID, list[datetime]]:
    """The first `count` offered starts (UTC) of each mentor within `days` from now, as a newcomer sees them.

    A mentor whose calendar grant was revoked can't be booked and has none. Pages show it; booking asks again.
    """
    now = clock.now()
    until = now + timedelta(days=days)
    found: dict[UUID, list[datetime]] = {id_: [] for id_ in mentor_ids}
    window = int(now.timestamp()), int(until.timestamp())
    for situation in await repository.situations(uow.session, mentor_ids, now, until):
        if situation.mentor.calendar != CalendarState.REVOKED:
            slots = offered(situation.mentor.rules, situation.snapshot(None), window[0], *window)
            found[situation.mentor.id] = [datetime.fromtimestamp(slot.start, UTC) for slot in slots[:count]]
    return found
