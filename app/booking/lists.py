"""Lists of sessions and people as the pages of their two sides show them. Rows are plain; instants are UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.accounts.people import GONE, person
from app.booking.models import Conflict, EventSync, RecordingConsent, Session, SessionStatus
from app.core.errors import NotFound
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor
from app.packs.models import PackStatus, SessionPack

_mentor: Final = person(Session.mentor_id, "mentor_person")
_student: Final = person(Session.student_id, "student_person")
# Who agrees to a recording.
_agreed: Final = sa.func.array(
    sa.select(RecordingConsent.user_id)
    .where(RecordingConsent.session_id == Session.id)
    .correlate(Session)
    .scalar_subquery(),
    type_=sa.ARRAY(sa.Uuid()),
)


class Person(msgspec.Struct, frozen=True):
    """A mentor by name."""

    id: UUID
    name: str


class Listed(msgspec.Struct, frozen=True):
    """A session with the names and zones of its two people."""

    id: UUID
    mentor_id: UUID
    student_id: UUID
    status: SessionStatus
    start: datetime
    end: datetime
    booked_at: datetime
    canceled_at: datetime | None
    canceled_by: str | None
    completed_at: datetime | None
    version: int
    notes: str
    recording_url: str | None
    recording_expires_at: datetime | None
    agreed: list[UUID]
    event_sync: EventSync
    conflict: Conflict | None
    conflict_start: datetime | None
    mentor_name: str
    mentor_zone: str
    mentor_slug: str
    student_name: str
    student_zone: str


_Query: TypeAlias = sa.Select[*tuple[Any, ...]]
_COLUMNS: Final = (
    Session.id,
    Session.mentor_id,
    Session.student_id,
    Session.status,
    Session.scheduled_at.label("start"),
    Session.ends_at.label("end"),
    Session.booked_at,
    Session.canceled_at,
    Session.canceled_by,
    Session.completed_at,
    Session.version,
    Session.notes,
    Session.recording_url,
    Session.recording_expires_at,
    _agreed.label("agreed"),
    Session.event_sync,
    Session.conflict,
    Session.conflict_start,
    sa.func.coalesce(_mentor.c.name, GONE).label("mentor_name"),
    Mentor.time_zone.label("mentor_zone"),
    Mentor.slug.label("mentor_slug"),
    sa.func.coalesce(_student.c.name, GONE).label("student_name"),
    sa.func.coalesce(_student.c.time_zone, "UTC").label("student_zone"),
)


def _listed() -> _Query:
    return (
        sa.select(*_COLUMNS)
        .join(Mentor, Mentor.id == Session.mentor_id)
        .outerjoin(_mentor, sa.true())
        .outerjoin(_student, sa.true())
    )


async def _rows(uow: UnitOfWork, query: _Query) -> list[Listed]:
    return [Listed(**row._mapping) for row in (await uow.session.execute(query)).all()]


async def one(uow: UnitOfWork, session_id: UUID) -> Listed:
    """A session that the asker may see. Raises NotFound."""
    found = await _rows(uow, _listed().where(Session.id == session_id))
    if not found:
        raise NotFound
    return found[0]


async def upcoming(uow: UnitOfWork, student_id: UUID, now: datetime) -> list[Listed]:
    """The student's scheduled sessions that haven't ended, the next one first."""
    return await _rows(
        uow,
        _listed()
        .where(
            Session.student_id == student_id,
            Session.status == SessionStatus.SCHEDULED,
            Session.ends_at > now,
        )
        .order_by(Session.scheduled_at),
    )


async def past(uow: UnitOfWork, student_id: UUID, now: datetime, limit: int, offset: int) -> list[Listed]:
    """All other sessions of the student's, the latest first."""
    ahead = sa.and_(Session.status == SessionStatus.SCHEDULED, Session.ends_at > now)
    query = _listed().where(Session.student_id == student_id, sa.not_(ahead))
    return await _rows(
        uow, query.order_by(Session.scheduled_at.desc(), Session.id).limit(limit).offset(offset)
    )


async def of_mentor(
    uow: UnitOfWork,
    mentor_id: UUID,
    *where: sa.ColumnElement[bool],
    newest_first: bool,
    limit: int,
    offset: int = 0,
) -> list[Listed]:
    """The mentor's sessions that fulfil the conditions, by start. Names are asked for of those that are shown only."""
    order = (Session.scheduled_at.desc() if newest_first else Session.scheduled_at, Session.id)
    shown = sa.select(Session.id).where(Session.mentor_id == mentor_id, *where)
    shown = shown.order_by(*order).limit(limit).offset(offset)
    return await _rows(uow, _listed().where(Session.id.in_(shown)).order_by(*order))


async def in_conflict(uow: UnitOfWork, limit: int) -> list[Listed]:
    """Scheduled sessions whose event the mentor moved or deleted in Google, the next one first; for an admin."""
    query = _listed().where(Session.conflict.is_not(None), Session.status == SessionStatus.SCHEDULED)
    return await _rows(uow, query.order_by(Session.scheduled_at, Session.id).limit(limit))


async def of_person(uow: UnitOfWork, user_id: UUID, limit: int) -> list[Listed]:
    """Sessions of a student or of a mentor, the latest first."""
    theirs = sa.or_(Session.student_id == user_id, Session.mentor_id == user_id)
    query = _listed().where(theirs).order_by(Session.scheduled_at.desc(), Session.id)
    return await _rows(uow, query.limit(limit))


async def counts_of_mentor(uow: UnitOfWork, mentor_id: UUID) -> dict[str, int]:
    """How many sessions the mentor has in each status."""
    query = (
        sa.select(Session.status, sa.func.count().label("number"))
        .where(Session.mentor_id == mentor_id)
        .group_by(Session.status)
    )
    return {row.status: row.number for row in (await uow.session.execute(query)).all()}


async def mentors_of(uow: UnitOfWork, student_id: UUID) -> Sequence[Person]:
    """Whom the student has packs with: those that can be booked first, then by the latest pack."""
    has_credit = sa.and_(
        SessionPack.status == PackStatus.ACTIVE,
        SessionPack.remaining_sessions > SessionPack.scheduled_sessions,
    )
    theirs = (
        sa.select(
            SessionPack.mentor_id,
            sa.func.bool_or(has_credit).label("credit"),
            sa.func.max(SessionPack.purchased_at).label("latest"),
        )
        .where(SessionPack.student_id == student_id)
        .group_by(SessionPack.mentor_id)
        .subquery()
    )
    mentor = person(theirs.c.mentor_id, "mentor_person")
    query = (
        sa.select(mentor.c.id, mentor.c.name)
        .select_from(theirs)
        .join(mentor, sa.true())
        .order_by(theirs.c.credit.desc(), theirs.c.latest.desc())
    )
    return [Person(row.id, row.name) for row in (await uow.session.execute(query)).all()]


async def has_credit(uow: UnitOfWork, student_id: UUID, now: datetime) -> bool:
    """True if some pack of the student's has a session left to book."""
    query = sa.select(
        sa.exists().where(
            SessionPack.student_id == student_id,
            SessionPack.status == PackStatus.ACTIVE,
            sa.not_(SessionPack.frozen),
            SessionPack.expires_at > now,
            SessionPack.remaining_sessions > SessionPack.scheduled_sessions,
        )
    )
    return bool((await uow.session.execute(query)).scalar_one())


async def history(uow: UnitOfWork, session_id: UUID) -> Sequence[Any]:
    """What the audit log says of the session, the oldest first: (at, actor_id, actor_role, action, before, after)."""
    query = sa.text(
        "select at, actor_id, actor_role, action, before, after from session_history(:session_id)"
    )
    return (await uow.session.execute(query, {"session_id": session_id})).all()
