"""When mentors are free next, for lists and profiles: any number of mentors in three queries."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.booking.slots import Rules, Snapshot, Span, offered
from app.calendars.models import CalendarState
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import DateOverride, Mentor

_CLOSED = sa.text(
    "select m.id, r.kind, r.starts, r.ends"
    " from unnest(:ids) as m(id), lateral mentor_closed_ranges(m.id, :since, :until) r"
).bindparams(sa.bindparam("ids", type_=ARRAY(sa.Uuid())))
_STATE: sa.Label[str | None] = sa.literal_column("(select c.state from mentor_calendar(mentors.id) c)").label(
    "calendar"
)
RULE_COLUMNS = (
    Mentor.id,
    Mentor.time_zone,
    Mentor.working_hours,
    Mentor.notice_minutes,
    Mentor.horizon_days,
    Mentor.session_minutes,
    Mentor.step_minutes,
    Mentor.buffer_before_minutes,
    Mentor.buffer_after_minutes,
    _STATE,
)


def rules_of(row: Any, overrides: Mapping[dt.date, Sequence[Sequence[int]]]) -> Rules:
    """The slot engine's rules from a row of `RULE_COLUMNS` and the mentor's overrides by local date."""
    hours = row.working_hours
    return Rules(
        time_zone=row.time_zone,
        hours=None
        if hours is None
        else {int(day): [(a, b) for a, b in spans] for day, spans in hours.items()},
        overrides={date: [(a, b) for a, b in spans] for date, spans in overrides.items()},
        calendar_connected=row.calendar is not None,
        notice_minutes=row.notice_minutes,
        horizon_days=row.horizon_days,
        length_minutes=row.session_minutes,
        step_minutes=row.step_minutes,
        buffer_before_minutes=row.buffer_before_minutes,
        buffer_after_minutes=row.buffer_after_minutes,
    )


async def next_free(
    uow: UnitOfWork, mentor_ids: Sequence[UUID], *, count: int, days: int = 21
) -> dict[UUID, list[datetime]]:
    """The first `count` offered starts of each mentor within `days` from now, for a student without sessions.

    A mentor whose calendar grant was revoked can't be booked and has none. Pages show it; booking asks again.
    """
    now = clock.now()
    until = now + timedelta(days=days)
    found: dict[UUID, list[datetime]] = {id_: [] for id_ in mentor_ids}
    rows = (await uow.session.execute(sa.select(*RULE_COLUMNS).where(Mentor.id.in_(mentor_ids)))).all()
    overrides = await _overrides(uow, mentor_ids, now, until)
    closed = await _closed(uow, mentor_ids, now, until)
    for row in rows:
        if row.calendar == CalendarState.REVOKED:
            continue
        snapshot = Snapshot(busy=closed[row.id]["busy"], blocked=closed[row.id]["blocked"])
        rules = rules_of(row, overrides[row.id])
        slots = offered(rules, snapshot, int(now.timestamp()), int(now.timestamp()), int(until.timestamp()))
        found[row.id] = [datetime.fromtimestamp(slot.start, UTC) for slot in slots[:count]]
    return found


async def _overrides(
    uow: UnitOfWork, mentor_ids: Sequence[UUID], since: datetime, until: datetime
) -> dict[UUID, dict[dt.date, list[list[int]]]]:
    # A day more on either side: local dates run ahead of and behind UTC.
    query = sa.select(DateOverride.mentor_id, DateOverride.date, DateOverride.intervals).where(
        DateOverride.mentor_id.in_(mentor_ids),
        DateOverride.date.between((since - timedelta(days=1)).date(), (until + timedelta(days=1)).date()),
    )
    by_mentor: dict[UUID, dict[dt.date, list[list[int]]]] = defaultdict(dict)
    for mentor_id, date, intervals in await uow.session.execute(query):
        by_mentor[mentor_id][date] = intervals
    return by_mentor


async def _closed(
    uow: UnitOfWork, mentor_ids: Sequence[UUID], since: datetime, until: datetime
) -> dict[UUID, dict[str, list[Span]]]:
    # A day more on either side: buffers and sessions reach over the edges.
    window = {"since": since - timedelta(days=1), "until": until + timedelta(days=1)}
    by_mentor: dict[UUID, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for mentor_id, kind, starts, ends in await uow.session.execute(
        _CLOSED, {"ids": list(mentor_ids), **window}
    ):
        by_mentor[mentor_id][kind].append((starts, ends))
    return by_mentor
