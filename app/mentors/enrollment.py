"""A user becomes a mentor."""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor


def slug_of(name: str) -> str:
    """`Inês Duarte` as `ines-duarte`; a name without a Latin letter or digit as `mentor`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "mentor"


async def enroll(
    uow: UnitOfWork,
    user_id: UUID,
    *,
    name: str,
    time_zone: str,
    headline: str = "",
    bio: str = "",
    working_hours: dict[str, Any] | None = None,
    max_active_students: int = 5,
) -> str:
    """Give a user with the role mentor a teaching profile; returns its slug. Service unit of work or admin.

    `working_hours` as in `Mentor.working_hours`. A slug that is taken gets a number behind it.
    """
    profile = {
        "id": user_id,
        "headline": headline,
        "bio": bio,
        "time_zone": time_zone,
        "working_hours": working_hours,
        "max_active_students": max_active_students,
        "created_at": clock.now(),
    }
    while True:  # until nobody takes the slug at the same moment
        slug = await _free_slug(uow, slug_of(name))
        statement = (
            insert(Mentor).values(**profile, slug=slug).on_conflict_do_nothing(index_elements=["slug"])
        )
        if (await uow.session.execute(statement.returning(Mentor.id))).scalar_one_or_none():
            return slug


async def _free_slug(uow: UnitOfWork, wanted: str) -> str:
    pattern = f"^{wanted}(-[0-9]+)?$"
    taken = set(
        (await uow.session.execute(sa.select(Mentor.slug).where(Mentor.slug.regexp_match(pattern)))).scalars()
    )
    number = 1
    while (slug := wanted if number == 1 else f"{wanted}-{number}") in taken:
        number += 1
    return slug
