"""Mentors whose calendar is disconnected: nobody can book them until they connect it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.calendars.models import CalendarConnection, CalendarState
from app.core.unit_of_work import UnitOfWork

_people = sa.table(
    "people", sa.column("id", sa.Uuid), sa.column("name", sa.Text), sa.column("email", sa.Text)
)
MOST = 200


async def revoked(uow: UnitOfWork) -> Sequence[Any]:
    """(mentor_id, name, email, connected_at) of each, by name. One query."""
    query = (
        sa.select(
            CalendarConnection.mentor_id, _people.c.name, _people.c.email, CalendarConnection.connected_at
        )
        .join(_people, _people.c.id == CalendarConnection.mentor_id)
        .where(CalendarConnection.state == CalendarState.REVOKED)
        .order_by(_people.c.name, CalendarConnection.mentor_id)
        .limit(MOST)
    )
    return (await uow.session.execute(query)).all()
