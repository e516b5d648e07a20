"""Which times a mentor can propose for a session: those that its student could book. The one slot engine, one student.

A mentor sees their own sessions with the student, not the student's with others: of those only the ranges come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.booking import repository
from app.booking.facts import SessionRow
from app.booking.offers import Offers
from app.booking.situation import Situation
from app.booking.slots import Span
from app.core import clock
from app.core.unit_of_work import UnitOfWork

_TIMES = sa.text(
    "select s.id, student_times(s.id, :since, :until) as spans from unnest(cast(:ids as uuid[])) s(id)"
)


@dataclass(frozen=True)
class Proposable(Offers):
    """What a mentor may propose. Why the other times are closed is the student's business."""

    def closed(self, start: int, end: int) -> list[tuple[int, int, str]]:
        """Nothing."""
        return []


async def offers_to(
    uow: UnitOfWork, row: SessionRow, since: datetime, until: datetime, *, to_horizon: bool = False
) -> Proposable:
    """The times in [since, until), or on to the mentor's horizon, to which the session's student could move it.

    Asked by the session's mentor. Two queries.
    """
    now = clock.now()
    since, until = min(since, row.scheduled_at), max(until, row.ends_at)
    found = await repository.situation(
        uow, row.mentor_id, row.student_id, since, until, horizon_from=now if to_horizon else None
    )
    last = max(until, now + found.mentor.horizon) if to_horizon else until
    taken = await taken_by(uow, [row.student_id], since, last)
    return Proposable(seen_by_student(found, row.id, taken[row.student_id]), int(now.timestamp()), True)


def seen_by_student(found: Situation, session_id: UUID, taken: list[Span]) -> Situation:
    """The situation as the student who moves that session has it; `taken`: all that they have booked, with whomever."""
    return msgspec.structs.replace(found, elsewhere=taken).with_moving(session_id)


async def taken_by(
    uow: UnitOfWork, student_ids: list[UUID], since: datetime, until: datetime
) -> dict[UUID, list[Span]]:
    """When each of the mentor's students has a session with whomever, within [since, until). One query."""
    values = {"ids": student_ids, "since": since - repository.MARGIN, "until": until + repository.MARGIN}
    rows = (await uow.session.execute(_TIMES, values)).all()
    return {row.id: msgspec.json.decode(f"[{row.spans}]", type=list[Span]) for row in rows}
