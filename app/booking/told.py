"""Whom mails about a session are written to, and how the session stands while they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.booking.models import Conflict, EventSync, Session, SessionStatus
from app.core.unit_of_work import Role, UnitOfWork
from app.packs.models import PackStatus, SessionPack

_student, _mentor = aliased(User), aliased(User)


class Person(msgspec.Struct, frozen=True):
    """Somebody who is told."""

    id: UUID
    role: Role
    name: str
    email: str
    zone: str
    gone: bool


class Told(msgspec.Struct, frozen=True):
    """A session's two people, and how it stands now."""

    id: UUID
    student: Person
    mentor: Person
    start: datetime
    end: datetime
    status: SessionStatus
    start_version: int
    event_sync: EventSync
    conflict: Conflict | None
    recording_expires_at: datetime | None
    sessions_left: int

    def other(self, person: Person) -> Person:
        """Whom the person meets."""
        return self.mentor if person is self.student else self.student

    @property
    def both(self) -> list[Person]:
        """The student and the mentor, without who left."""
        return [*present(self.student), *present(self.mentor)]


def present(person: Person) -> list[Person]:
    """The person, unless they left."""
    return [] if person.gone else [person]


async def told_of(uow: UnitOfWork, session_id: UUID) -> Told:
    """The session that somebody is to be told of. Service unit of work. One query."""
    left = (
        sa.select(
            sa.func.coalesce(sa.func.sum(SessionPack.remaining_sessions - SessionPack.scheduled_sessions), 0)
        )
        .where(
            SessionPack.mentor_id == Session.mentor_id,
            SessionPack.student_id == Session.student_id,
            SessionPack.status == PackStatus.ACTIVE,
        )
        .correlate(Session)
        .scalar_subquery()
    )
    query = (
        sa.select(Session, _student, _mentor, left.label("left"))
        .join(_student, _student.id == Session.student_id)
        .join(_mentor, _mentor.id == Session.mentor_id)
        .where(Session.id == session_id)
    )
    session, student, mentor, sessions_left = (await uow.session.execute(query)).one()
    return Told(
        id=session.id,
        student=_person(student, Role.STUDENT),
        mentor=_person(mentor, Role.MENTOR),
        start=session.scheduled_at,
        end=session.ends_at,
        status=session.status,
        start_version=session.start_version,
        event_sync=session.event_sync,
        conflict=session.conflict,
        recording_expires_at=session.recording_expires_at,
        sessions_left=int(sessions_left),
    )


def _person(user: User, role: Role) -> Person:
    return Person(user.id, role, user.name, user.email, user.time_zone, user.deleted_at is not None)
