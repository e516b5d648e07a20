"""The audit log as admins read it: filtered, a page at a time, with the names of people as they are called now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.core.models import AuditEntry
from app.core.unit_of_work import UnitOfWork

PER_PAGE: Final = 50
_actor, _behind, _subject = aliased(User), aliased(User), aliased(User)
ABOUT_PEOPLE: Final = ("users", "mentors")


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What to show. `actor`: a part of a name or an address, or an id; `since`, `until`: instants, the latter excluded.

    `before`: the id of an entry; those after it in the list.
    """

    actor: str = ""
    action: str = ""
    subject_type: str = ""
    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: UUID | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry; names are None for who is gone, or where the subject is no person."""

    id: UUID
    at: datetime
    actor_id: UUID | None
    actor_role: str
    actor_name: str | None
    impersonator_id: UUID | None
    impersonator_name: str | None
    action: str
    subject_type: str
    subject_id: UUID | None
    subject_name: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str | None


async def page_of(uow: UnitOfWork, wanted: Filter) -> tuple[list[Entry], UUID | None]:
    """The newest entries that are wanted, and the id to go on before, None at the end. One query."""
    found = await _entries(uow, _conditions(wanted), PER_PAGE + 1)
    return found[:PER_PAGE], found[PER_PAGE - 1].id if len(found) > PER_PAGE else None


async def about(uow: UnitOfWork, user_id: UUID, limit: int) -> list[Entry]:
    """The newest entries about a person's account or teaching profile. One query."""
    theirs = (AuditEntry.subject_type.in_(ABOUT_PEOPLE), AuditEntry.subject_id == user_id)
    return await _entries(uow, theirs, limit)


async def _entries(uow: UnitOfWork, conditions: Sequence[sa.ColumnElement[bool]], limit: int) -> list[Entry]:
    is_person = AuditEntry.subject_type.in_(ABOUT_PEOPLE)
    query = (
        sa.select(
            *(getattr(AuditEntry, name) for name in Entry.__struct_fields__ if not name.endswith("_name")),
            _actor.name.label("actor_name"),
            _behind.name.label("impersonator_name"),
            _subject.name.label("subject_name"),
        )
        .outerjoin(_actor, _actor.id == AuditEntry.actor_id)
        .outerjoin(_behind, _behind.id == AuditEntry.impersonator_id)
        .outerjoin(_subject, sa.and_(_subject.id == AuditEntry.subject_id, is_person))
        .where(*conditions)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(limit)
    )
    return [Entry(**row._mapping) for row in await uow.session.execute(query)]


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.actor:
        conditions.append(_by(wanted.actor))
    if wanted.action:
        conditions.append(AuditEntry.action == wanted.action)
    if wanted.subject_type:
        conditions.append(AuditEntry.subject_type == wanted.subject_type)
    if wanted.subject_id:
        conditions.append(AuditEntry.subject_id == wanted.subject_id)
    if wanted.since:
        conditions.append(AuditEntry.at >= wanted.since)
    if wanted.until:
        conditions.append(AuditEntry.at < wanted.until)
    if wanted.before:
        place = sa.select(AuditEntry.at, AuditEntry.id).where(AuditEntry.id == wanted.before)
        conditions.append(sa.tuple_(AuditEntry.at, AuditEntry.id) < place.scalar_subquery())
    return conditions


def _by(words: str) -> sa.ColumnElement[bool]:
    """Whoever did it, or was signed in as who did it."""
    email = sa.cast(User.email, sa.Text)
    named = User.name.icontains(words, autoescape=True) | email.icontains(words, autoescape=True)
    people = sa.select(User.id).where(named | (sa.cast(User.id, sa.Text) == words.lower()))
    return sa.or_(AuditEntry.actor_id.in_(people), AuditEntry.impersonator_id.in_(people))
