"""Mentors whose calendar is disconnected: nobody can book them until they connect it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.accounts.people import person
from app.calendars.models import CalendarConnection, CalendarState
from app.core.unit_of_work import UnitOfWork

_mentor = person(CalendarConnection.mentor_id, "mentor", with_email=True)
MOST = 200


async def revoked(uow: UnitOfWork) -> Sequence[Any]:
    """(mentor_id, name, email, connected_at) of each, by name. One query."""
    query = (
        sa.select(
            CalendarConnection.mentor_id, _mentor.c.name, _mentor.c.email, CalendarConnection.connected_at
        )
        .join(_mentor, sa.true())
        .where(CalendarConnection.state == CalendarState.REVOKED)
        .order_by(_mentor.c.name, CalendarConnection.mentor_id)
        .limit(MOST)
    )
    return (await uow.session.execute(query)).all()
