"""Who was in a session's video room, and what that proposes to mark. Written by the room alone: `booking/visits.py`.

The rules are pure; instants are aware UTC datetimes, lengths whole seconds. Source of the rules: "Video" and "Booking"
of the domain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.booking.models import Session, SessionStatus, Visit
from app.core import clock
from app.core.unit_of_work import UnitOfWork

UNSEEN: Final = timedelta(seconds=45)
"""A stay that nobody left and that wasn't seen for so long ended when it was seen last."""
HELD: Final = timedelta(minutes=5)
"""Together for so long, the two have met."""

Span = tuple[datetime, datetime]


class Stay(msgspec.Struct, frozen=True):
    """One stay of somebody, as it is stored."""

    joined_at: datetime
    seen_at: datetime
    left_at: datetime | None


class Presence(msgspec.Struct, frozen=True):
    """One person's stays together. `last`: when they left, or were seen last; `seconds`: without the gaps."""

    first: datetime
    last: datetime
    seconds: int
    is_there: bool


class Attendance(msgspec.Struct, frozen=True):
    """Both people of a session; None for who never came. `together`: for how many seconds both were there at once."""

    mentor: Presence | None = None
    student: Presence | None = None
    together: int = 0


class Because(msgspec.Struct, frozen=True):
    """What the evidence proposes, `status` None where it can't, and the code of the reason."""

    status: SessionStatus | None
    why: str


NOBODY: Final = Attendance()


def attendance(mentor: Sequence[Stay], student: Sequence[Stay], now: datetime) -> Attendance:
    """The evidence of their stays, in any order, as it stands at `now`."""
    both = _common(_merged(mentor, now), _merged(student, now))
    return Attendance(_presence(mentor, now), _presence(student, now), _seconds(both))


def proposed(found: Attendance, start: datetime, end: datetime, now: datetime) -> Because:
    """How a session from `start` to `end` should be marked, by its evidence; nothing before its end.

    Together for five minutes: `completed`. The mentor there in the session's time and the student never: `no_show`.
    """
    if now < end:
        return Because(None, "not_over")
    if found.together >= HELD.total_seconds():
        return Because(SessionStatus.COMPLETED, "together")
    if found.mentor is None:
        return Because(None, "mentor_absent" if found.student else "nobody")
    if found.student is not None:
        return Because(None, "too_short" if found.together else "missed_each_other")
    if found.mentor.last <= start or found.mentor.first >= end:
        return Because(None, "mentor_not_in_time")
    return Because(SessionStatus.NO_SHOW, "student_absent")


async def of(uow: UnitOfWork, session_ids: Iterable[UUID]) -> dict[UUID, Attendance]:
    """The evidence of those sessions that the asker may see; sessions without stays are left out. At most one query."""
    wanted = list(session_ids)
    if not wanted:
        return {}
    query = (
        sa.select(
            Visit.session_id,
            (Visit.user_id == Session.mentor_id).label("is_mentor"),
            Visit.joined_at,
            Visit.seen_at,
            Visit.left_at,
        )
        .join(Session, Session.id == Visit.session_id)
        .where(Visit.session_id.in_(wanted), Visit.user_id.in_((Session.mentor_id, Session.student_id)))
    )
    stays: dict[UUID, tuple[list[Stay], list[Stay]]] = {}
    for row in (await uow.session.execute(query)).all():
        pair = stays.setdefault(row.session_id, ([], []))
        pair[0 if row.is_mentor else 1].append(Stay(row.joined_at, row.seen_at, row.left_at))
    now = clock.now()
    return {id_: attendance(mentor, student, now) for id_, (mentor, student) in stays.items()}


def _presence(stays: Sequence[Stay], now: datetime) -> Presence | None:
    spans = _merged(stays, now)
    if not spans:
        return None
    is_there = any(_lasts(stay, now) for stay in stays)
    return Presence(spans[0][0], spans[-1][1], _seconds(spans), is_there)


def _lasts(stay: Stay, now: datetime) -> bool:
    return stay.left_at is None and now - stay.seen_at < UNSEEN


def _end(stay: Stay) -> datetime:
    """When the stay ended, or was seen last."""
    return stay.seen_at if stay.left_at is None else stay.left_at


def _merged(stays: Sequence[Stay], now: datetime) -> list[Span]:
    """The stays as spans that don't touch, the first one first; two tabs at once count once."""
    spans: list[Span] = []
    for since, until in sorted((stay.joined_at, min(_end(stay), now)) for stay in stays):
        if spans and since <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], until)
        else:
            spans.append((since, max(since, until)))
    return spans


def _common(ones: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """Where both are."""
    found = [
        (max(one[0], other[0]), min(one[1], other[1]))
        for one in ones
        for other in others
        if one[0] < other[1] and other[0] < one[1]
    ]
    return sorted(found)


def _seconds(spans: Iterable[Span]) -> int:
    return int(sum((until - since for since, until in spans), timedelta()).total_seconds())
