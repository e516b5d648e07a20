"""Mentors by name, for an admin who looks for one."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor

FEW: Final = 12
_people = sa.table("people", sa.column("id", sa.Uuid), sa.column("name", sa.Text))


class Named(msgspec.Struct, frozen=True):
    """A mentor as pages name them."""

    id: UUID
    name: str
    slug: str


def _named() -> sa.Select[UUID, str, str]:
    return sa.select(Mentor.id, _people.c.name, Mentor.slug).join(_people, _people.c.id == Mentor.id)


async def named(uow: UnitOfWork, mentor_id: UUID) -> Named | None:
    """The mentor with this id."""
    row = (await uow.session.execute(_named().where(Mentor.id == mentor_id))).one_or_none()
    return row and Named(**row._mapping)


async def find(uow: UnitOfWork, words: str) -> list[Named]:
    """The first few mentors, by name, whose name holds `words`."""
    query = _named().order_by(_people.c.name, Mentor.id).limit(FEW)
    if words:
        query = query.where(_people.c.name.icontains(words, autoescape=True))
    return [Named(**row._mapping) for row in (await uow.session.execute(query)).all()]
