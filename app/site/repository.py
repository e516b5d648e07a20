"""What the public pages read: mentors with their names and seats, what they sell, the viewer's own credit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.accounts.people import person
from app.booking.openings import next_free
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor, Product
from app.packs.models import PackStatus, SessionPack

_person: Final = person(Mentor.id, "mentor_person")


class Shown(msgspec.Struct):
    """A mentor as list, profile and landing page show them; `next_free` are UTC instants.

    `seats_left`: those open to the viewer; nobody is shown a seat that somebody else waits for.
    """

    id: UUID
    slug: str
    name: str
    headline: str
    bio: str
    time_zone: str
    seats: int
    seats_left: int
    next_free: list[datetime]


def _mentors(viewer_id: UUID | None) -> sa.Select[Any]:
    left = sa.func.seats_open_to(Mentor.id, sa.literal(viewer_id, sa.Uuid), type_=sa.Integer)
    query = sa.select(
        Mentor.id,
        Mentor.slug,
        _person.c.name,
        Mentor.headline,
        Mentor.bio,
        Mentor.time_zone,
        Mentor.max_active_students.label("seats"),
        sa.func.greatest(left, 0).label("seats_left"),
    )
    return query.select_from(Mentor).join(_person, _person.c.listed)


async def _shown(uow: UnitOfWork, query: sa.Select[Any], times: int) -> list[Shown]:
    rows = (await uow.session.execute(query)).all()
    free = await next_free(uow, [row.id for row in rows], count=times)
    return [Shown(**row._mapping, next_free=free[row.id]) for row in rows]


async def first_mentors(uow: UnitOfWork, limit: int) -> list[Shown]:
    """The mentors who joined first, each with one free time."""
    query = _mentors(uow.principal.user_id).order_by(Mentor.created_at, Mentor.id)
    return await _shown(uow, query.limit(limit), times=1)


async def search_mentors(uow: UnitOfWork, words: str, *, limit: int, offset: int) -> tuple[list[Shown], int]:
    """Mentors by name whose name or headline holds `words`, each with three free times; and how many there are."""
    query = _mentors(uow.principal.user_id)
    if words:
        name, headline = _person.c.name, Mentor.headline
        query = query.where(
            name.icontains(words, autoescape=True) | headline.icontains(words, autoescape=True)
        )
    total = (await uow.session.execute(sa.select(sa.func.count()).select_from(query.subquery()))).scalar_one()
    ordered = query.order_by(_person.c.name, Mentor.id).limit(limit).offset(offset)
    return await _shown(uow, ordered, times=3), total


async def mentor_by_slug(uow: UnitOfWork, slug: str) -> Shown | None:
    """One mentor with six free times."""
    found = await _shown(uow, _mentors(uow.principal.user_id).where(Mentor.slug == slug), times=6)
    return found[0] if found else None


async def products_on_sale(uow: UnitOfWork, mentor_id: UUID) -> Sequence[Any]:
    """The mentor's active products, cheapest first, with the minutes of a session."""
    query = (
        sa.select(
            Product.id,
            Product.title,
            Product.description,
            Product.price_minor,
            Product.currency,
            Product.sessions_per_pack,
            Product.validity_days,
            Mentor.session_minutes,
        )
        .join(Mentor, Mentor.id == Product.mentor_id)
        .where(Product.mentor_id == mentor_id, Product.active)
        .order_by(Product.price_minor, Product.created_at, Product.id)
    )
    return (await uow.session.execute(query)).all()


async def own_credit(uow: UnitOfWork, student_id: UUID, mentor_id: UUID) -> int:
    """Sessions the student could still book with the mentor."""
    free = SessionPack.remaining_sessions - SessionPack.scheduled_sessions
    query = sa.select(sa.func.coalesce(sa.func.sum(free), 0)).where(
        SessionPack.mentor_id == mentor_id,
        SessionPack.student_id == student_id,
        SessionPack.status == PackStatus.ACTIVE,
    )
    return int((await uow.session.execute(query)).scalar_one())
