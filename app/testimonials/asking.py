"""Whom to ask for a testimonial, and when: after the third session of a pack, and after its last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.accounts.people import person
from app.booking.models import Session, SessionStatus
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor
from app.notifications import telling
from app.packs.models import PackStatus, SessionPack
from app.testimonials.models import Testimonial

THIRD: Final = 3
ASKED_FOR: Final = timedelta(days=30)


class Asked(msgspec.Struct, frozen=True):
    """A pack whose student could write about its mentor now."""

    pack_id: UUID
    mentor_id: UUID
    mentor_name: str


async def ask(uow: UnitOfWork, pack_id: UUID) -> None:
    """A session of the pack was held: have its student asked if it was the third or the last, each time once.

    Service unit of work; may run twice.
    """
    facts = await _facts(uow, pack_id)
    if facts is None or facts.written or not facts.completed:
        return
    after = "last" if facts.status is PackStatus.DEPLETED else "third" if facts.completed >= THIRD else None
    if after is not None:
        await telling.tell(uow, "testimonial_asked", {"pack_id": pack_id, "after": after})


async def still_to_ask(uow: UnitOfWork, pack_id: UUID, after: str) -> Any:
    """The pack with its people, if what it was to be asked `after` still holds and nothing was written; else None."""
    facts = await _facts(uow, pack_id)
    if facts is None or facts.written or facts.student_gone or facts.mentor_gone:
        return None
    if after == "last":
        return facts if facts.status is PackStatus.DEPLETED and facts.completed else None
    return facts if facts.completed >= THIRD else None


async def student_of(uow: UnitOfWork, pack_id: UUID) -> UUID:
    """Whose pack it is."""
    return (
        await uow.session.execute(sa.select(SessionPack.student_id).where(SessionPack.id == pack_id))
    ).scalar_one()


async def due(uow: UnitOfWork, student_id: UUID, now: datetime) -> list[Asked]:
    """Whom the student could write about: the pack that they bought last of each mentor, for 30 days after its latest
    session, unless they have written about that one."""
    last_held = (
        sa.select(sa.func.max(Session.scheduled_at))
        .where(Session.pack_id == SessionPack.id, Session.status == SessionStatus.COMPLETED)
        .scalar_subquery()
    )
    packs = (
        sa.select(
            SessionPack.id.label("pack_id"),
            SessionPack.mentor_id,
            SessionPack.purchased_at,
            last_held.label("last_held"),
            sa.exists().where(Testimonial.pack_id == SessionPack.id).label("written"),
        )
        .where(SessionPack.student_id == student_id, sa.func.testimonial_due(SessionPack.id))
        .ext(distinct_on(SessionPack.mentor_id))
        .order_by(SessionPack.mentor_id, SessionPack.purchased_at.desc(), SessionPack.id.desc())
        .subquery()
    )
    mentor = person(packs.c.mentor_id, "mentor_person")
    query = (
        sa.select(packs.c.pack_id, packs.c.mentor_id, mentor.c.name.label("mentor_name"))
        .select_from(packs)
        .join(mentor, sa.true())
        .where(sa.not_(packs.c.written), packs.c.last_held > now - ASKED_FOR)
        .order_by(packs.c.last_held.desc())
    )
    return [Asked(**row._mapping) for row in (await uow.session.execute(query)).all()]


async def _facts(uow: UnitOfWork, pack_id: UUID) -> Any:
    mentor, student = aliased(User), aliased(User)
    completed = (
        sa.select(sa.func.count())
        .where(Session.pack_id == SessionPack.id, Session.status == SessionStatus.COMPLETED)
        .scalar_subquery()
    )
    query = (
        sa.select(
            SessionPack.id,
            SessionPack.status,
            completed.label("completed"),
            sa.exists().where(Testimonial.pack_id == SessionPack.id).label("written"),
            student.id.label("student_id"),
            student.name.label("student_name"),
            student.email.label("student_email"),
            student.deleted_at.is_not(None).label("student_gone"),
            mentor.name.label("mentor_name"),
            mentor.deleted_at.is_not(None).label("mentor_gone"),
            Mentor.slug.label("mentor_slug"),
        )
        .join(Mentor, Mentor.id == SessionPack.mentor_id)
        .join(mentor, mentor.id == SessionPack.mentor_id)
        .join(student, student.id == SessionPack.student_id)
        .where(SessionPack.id == pack_id)
    )
    return (await uow.session.execute(query)).one_or_none()
