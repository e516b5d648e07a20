"""Mentors by name, for an admin who looks for one."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.accounts.people import person
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor

FEW: Final = 12
_mentor: Final = person(Mentor.id, "mentor_person")


class Named(msgspec.Struct, frozen=True):
    """A mentor as pages name them."""

    id: UUID
    name: str
    slug: str


def _named() -> sa.Select[UUID, str, str]:
    query = sa.select(Mentor.id, _mentor.c.name, Mentor.slug)
    return query.select_from(Mentor).join(_mentor, sa.true())


async def named(uow: UnitOfWork, mentor_id: UUID) -> Named | None:
    """The mentor with this id."""
    row = (await uow.session.execute(_named().where(Mentor.id == mentor_id))).one_or_none()
    return row and Named(**row._mapping)


async def find(uow: UnitOfWork, words: str) -> list[Named]:
    """The first few mentors, by name, whose name holds `words`."""
    query = _named().order_by(_mentor.c.name, Mentor.id).limit(FEW)
    if words:
        query = query.where(_mentor.c.name.icontains(words, autoescape=True))
    return [Named(**row._mapping) for row in (await uow.session.execute(query)).all()]
