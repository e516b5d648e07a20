"""The SQL behind slots and bookings: one statement reads a whole situation; rows are plain, never entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.booking import proposals_repository
from app.booking.facts import SessionRow
from app.booking.models import Session, SessionStatus
from app.booking.situation import Situation
from app.core.errors import NotFound
from app.core.unit_of_work import UnitOfWork
from app.packs.models import PackEntry

MARGIN: Final = timedelta(days=1)
"""More than the longest session with the longest buffers (tables' checks): what is taken outside a window can still
close a slot inside."""

_COLUMNS: Final = tuple(getattr(Session, name) for name in SessionRow.__struct_fields__)
_decode: Final = msgspec.json.Decoder(Situation).decode
_SITUATION: Final = (
    "select booking_situation(%(mentor_id)s, %(student_id)s, %(since)s, %(until)s, %(horizon_from)s)"
)
_SITUATIONS = sa.text(
    "select booking_situation(m.id, null, :since, :until, null) from unnest(cast(:mentor_ids as uuid[])) as m(id)"
)
# Exclusion constraints alone would let two inserts wait for each other until one is killed as a deadlock.
_LOCK = sa.text(
    "select pg_advisory_xact_lock(hashtextextended('mentor:' || cast(:mentor_id as text), 0)),"
    " pg_advisory_xact_lock(hashtextextended('student:' || cast(:student_id as text), 0))"
)

_LOCK_MENTOR = sa.text(
    "select pg_advisory_xact_lock(hashtextextended('mentor:' || cast(:mentor_id as text), 0))"
)


async def situation(
    uow: UnitOfWork,
    mentor_id: UUID,
    student_id: UUID | None,
    since: datetime,
    until: datetime,
    *,
    horizon_from: datetime | None = None,
) -> Situation:
    """The situation for times in [since, until), and on to the mentor's horizon counted from `horizon_from`.

    One query. Raises NotFound for an unknown mentor.
    """
    values = {
        "mentor_id": mentor_id,
        "student_id": student_id,
        "since": since - MARGIN,
        "until": until + MARGIN,
        "horizon_from": horizon_from,
    }
    row = await uow.fetch_one(_SITUATION, values)
    if row is None or row[0] is None:
        raise NotFound
    return _decode(row[0])


async def situations(
    session: AsyncSession, mentor_ids: Sequence[UUID], since: datetime, until: datetime
) -> list[Situation]:
    """The situations of several mentors for times in [since, until), seen by nobody in particular. One query."""
    values = {"mentor_ids": list(mentor_ids), "since": since - MARGIN, "until": until + MARGIN}
    documents = (await session.execute(_SITUATIONS, values)).scalars()
    return [msgspec.json.decode(document, type=Situation) for document in documents if document is not None]


async def queue_up(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> None:
    """Wait for every other change of this mentor's or this student's times; held until the transaction ends.

    Taken before all other locks, the mentor's first.
    """
    await session.execute(_LOCK, {"mentor_id": str(mentor_id), "student_id": str(student_id)})


async def queue_up_mentor(session: AsyncSession, mentor_id: UUID) -> None:
    """As `queue_up`, for a change that concerns a mentor's times with everybody."""
    await session.execute(_LOCK_MENTOR, {"mentor_id": str(mentor_id)})


async def find(session: AsyncSession, session_id: UUID, *, lock: bool = False) -> SessionRow:
    """One session that the asker may see. Raises NotFound. `lock`: for a change, after seat and packs."""
    query = sa.select(*_COLUMNS).where(Session.id == session_id)
    if lock:
        query = query.with_for_update()
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFound
    return SessionRow(**row._mapping)


async def add(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """A new session; constraints may refuse it."""
    await session.execute(sa.insert(Session).values(**values))


async def change(session: AsyncSession, session_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a session; constraints may refuse it. With its time or status goes what was proposed for it."""
    await session.execute(sa.update(Session).where(Session.id == session_id).values(**values))
    if "scheduled_at" in values or "status" in values:
        await proposals_repository.settle(session, session_id, values.get("scheduled_at"))


async def spent(session: AsyncSession, session_id: UUID) -> UUID | None:
    """The pack that the session's credit was taken from, if it was and hasn't been given back."""
    query = (
        sa.select(PackEntry.pack_id)
        .where(PackEntry.session_id == session_id)
        .group_by(PackEntry.pack_id)
        .having(sa.func.sum(PackEntry.delta) < 0)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def scheduled_from(session: AsyncSession, pack_id: UUID) -> Sequence[UUID]:
    """Sessions that are scheduled from a pack, by id."""
    query = (
        sa.select(Session.id)
        .where(Session.pack_id == pack_id, Session.status == SessionStatus.SCHEDULED)
        .order_by(Session.id)
    )
    return (await session.execute(query)).scalars().all()


async def overdue(session: AsyncSession, ended_before: datetime, limit: int) -> Sequence[UUID]:
    """Sessions still scheduled that ended at or before that instant, the oldest first."""
    query = (
        sa.select(Session.id)
        .where(Session.status == SessionStatus.SCHEDULED, Session.ends_at <= ended_before)
        .order_by(Session.ends_at)
        .limit(limit)
    )
    return (await session.execute(query)).scalars().all()
