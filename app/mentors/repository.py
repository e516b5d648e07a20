"""The SQL of mentors."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core.unit_of_work import UnitOfWork
from app.mentors.models import DateOverride, Mentor


async def by_id(uow: UnitOfWork, mentor_id: UUID) -> Mentor | None:
    """The mentor with this id, which is the user's."""
    return await uow.session.get(Mentor, mentor_id)


async def by_slug(uow: UnitOfWork, slug: str) -> Mentor | None:
    """The mentor whose public page has this address; case doesn't matter."""
    return (await uow.session.execute(sa.select(Mentor).where(Mentor.slug == slug))).scalar_one_or_none()


async def change(uow: UnitOfWork, mentor_id: UUID, values: dict[str, Any]) -> bool:
    """Set columns of a mentor; False if there is none that the asker may change."""
    query = sa.update(Mentor).where(Mentor.id == mentor_id).values(**values).returning(Mentor.id)
    return (await uow.session.execute(query)).scalar_one_or_none() is not None


async def overrides_from(uow: UnitOfWork, mentor_id: UUID, day: dt.date) -> list[DateOverride]:
    """The mentor's date overrides from a local date on, in order."""
    query = (
        sa.select(DateOverride)
        .where(DateOverride.mentor_id == mentor_id, DateOverride.date >= day)
        .order_by(DateOverride.date)
    )
    return list((await uow.session.execute(query)).scalars())


async def put_override(uow: UnitOfWork, mentor_id: UUID, day: dt.date, intervals: list[list[int]]) -> None:
    """Keep the override of a date, in place of an earlier one."""
    query = insert(DateOverride).values(mentor_id=mentor_id, date=day, intervals=intervals)
    await uow.session.execute(
        query.on_conflict_do_update(
            index_elements=["mentor_id", "date"], set_={"intervals": query.excluded.intervals}
        )
    )


async def drop_override(uow: UnitOfWork, mentor_id: UUID, day: dt.date) -> bool:
    """Forget the override of a date; False if there was none."""
    query = (
        sa.delete(DateOverride)
        .where(DateOverride.mentor_id == mentor_id, DateOverride.date == day)
        .returning(DateOverride.date)
    )
    return (await uow.session.execute(query)).scalar_one_or_none() is not None


async def seats_in_use(uow: UnitOfWork, mentor_id: UUID) -> int:
    """How many of the mentor's seats are taken, offered or held."""
    return int((await uow.session.execute(sa.select(sa.func.seats_in_use(mentor_id)))).scalar_one())
