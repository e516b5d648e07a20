"""Stays in a session's video room, written down as they happen. Service unit of work: nobody writes their own evidence.

`app.booking.attendance` reads them. Instants are business time, UTC.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from app.booking.models import Visit
from app.core.unit_of_work import UnitOfWork


async def joined(uow: UnitOfWork, visit_id: UUID, session_id: UUID, user_id: UUID, now: datetime) -> None:
    """Somebody came in; `visit_id` is a new, time-ordered id."""
    values = {"id": visit_id, "session_id": session_id, "user_id": user_id, "joined_at": now, "seen_at": now}
    await uow.session.execute(sa.insert(Visit).values(**values))


async def seen(uow: UnitOfWork, visit_id: UUID, now: datetime) -> None:
    """They are still there."""
    await uow.session.execute(
        sa.update(Visit)
        .where(Visit.id == visit_id, Visit.left_at.is_(None))
        .values(seen_at=sa.func.greatest(Visit.seen_at, now))
    )


async def left(uow: UnitOfWork, visit_id: UUID, now: datetime) -> None:
    """They left, or their connection was lost; the first word counts."""
    at = sa.func.greatest(Visit.joined_at, now)
    await uow.session.execute(
        sa.update(Visit)
        .where(Visit.id == visit_id, Visit.left_at.is_(None))
        .values(left_at=at, seen_at=sa.func.greatest(Visit.seen_at, now))
    )


async def present(uow: UnitOfWork, session_id: UUID, user_id: UUID, seen_since: datetime) -> UUID | None:
    """The latest stay of this person that hasn't ended and was seen since then; None if they aren't there."""
    query = (
        sa.select(Visit.id)
        .where(
            Visit.session_id == session_id,
            Visit.user_id == user_id,
            Visit.left_at.is_(None),
            Visit.seen_at >= seen_since,
        )
        .order_by(Visit.id.desc())
        .limit(1)
    )
    return (await uow.session.execute(query)).scalar_one_or_none()
