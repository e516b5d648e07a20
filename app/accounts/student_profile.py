"""What students say about themselves to their mentors, and how far they are with getting started."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.accounts import repository, rules
from app.accounts.models import Provider, StudentProfile, UserIdentity
from app.core import clock
from app.core.text import tidy_lines
from app.core.unit_of_work import UnitOfWork

LENGTH: Final = 1000
FIELDS: Final = ("about", "goals")
_MISSING: Final = {
    "about": "Please write a few words about yourself, or leave this for later.",
    "goals": "Please write what you would like to learn, or leave this for later.",
}


class OwnProfile(msgspec.Struct, frozen=True):
    """A student's profile; `zone_confirmed_at` and `put_aside_at` as in the table, `discord`: linked."""

    about: str = ""
    goals: str = ""
    zone_confirmed_at: datetime | None = None
    put_aside_at: datetime | None = None
    discord: bool = False


async def read(uow: UnitOfWork, user_id: UUID) -> OwnProfile:
    """The student's profile, an empty one where nothing was said yet."""
    linked = sa.exists().where(UserIdentity.user_id == user_id, UserIdentity.provider == Provider.DISCORD)
    own = sa.select(StudentProfile).where(StudentProfile.user_id == user_id).subquery()
    query = (
        sa.select(own.c.about, own.c.goals, own.c.zone_confirmed_at, own.c.put_aside_at, linked)
        .select_from(sa.select(sa.literal(1)).subquery())
        .outerjoin(own, sa.true())
    )
    row = (await uow.session.execute(query)).one()
    return OwnProfile(row[0] or "", row[1] or "", row[2], row[3], row[4])


async def change(uow: UnitOfWork, words: dict[str, str], *, required: bool = False) -> None:
    """Keep `about` or `goals`, or both, of the signed-in student; empty ones are erased unless `required`.

    Raises Invalid naming the field.
    """
    tidied = {name: tidy_lines(text) for name, text in words.items() if name in FIELDS}
    rules.check(**{name: _problem(name, text, required) for name, text in tidied.items()})
    await _keep(uow, tidied)


async def confirm_zone(uow: UnitOfWork, time_zone: str) -> None:
    """The signed-in student's time zone is this one. Raises Invalid (`time_zone`)."""
    rules.check(time_zone=rules.zone_problem(time_zone))
    await repository.change_user(uow.session, uow.user_id, {"time_zone": time_zone})
    await _keep(uow, {"zone_confirmed_at": clock.now()})


async def put_aside(uow: UnitOfWork) -> None:
    """The signed-in student doesn't want to be asked to get started any more."""
    await _keep(uow, {"put_aside_at": clock.now()})


async def take_up(uow: UnitOfWork) -> None:
    """The signed-in student wants to be asked again."""
    await _keep(uow, {"put_aside_at": None})


def _problem(name: str, text: str, required: bool) -> str | None:
    if required and not text:
        return _MISSING[name]
    return f"Keep it within {LENGTH:,} characters; these are {len(text):,}." if len(text) > LENGTH else None


async def _keep(uow: UnitOfWork, values: dict[str, Any]) -> None:
    row = {"user_id": uow.user_id, "about": "", "goals": ""} | values
    query = insert(StudentProfile).values(row)
    await uow.session.execute(query.on_conflict_do_update(index_elements=["user_id"], set_=values))
