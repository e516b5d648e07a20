"""SQL of testimonials: own ones, those that wait for an admin, and the approved ones that everybody may read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.people import person
from app.core.ids import new_id
from app.core.seen import digest
from app.mentors.models import Mentor
from app.packs.models import SessionPack
from app.testimonials.models import Testimonial, TestimonialStatus

_mentor: Final = person(Testimonial.mentor_id, "mentor_person")
_student: Final = person(Testimonial.student_id, "student_person")
_teacher: Final = person(SessionPack.mentor_id, "mentor_person")


class Written(msgspec.Struct, frozen=True):
    """A testimonial with the names of its two people; `mentor_name` and `student_name` None for who left."""

    id: UUID
    pack_id: UUID
    mentor_id: UUID
    student_id: UUID
    body: str
    status: TestimonialStatus
    written_at: datetime
    decided_at: datetime | None
    mentor_name: str | None
    mentor_slug: str
    student_name: str | None

    @property
    def seen(self) -> str:
        """What a form that decides about these words carries, so that it decides about no others."""
        return digest(self.body)


class About(msgspec.Struct, frozen=True):
    """A pack that something may be written about. `due`: enough of its sessions were held."""

    pack_id: UUID
    mentor_id: UUID
    mentor_name: str | None
    mentor_slug: str
    due: bool


class Public(msgspec.Struct, frozen=True):
    """Approved words as everybody reads them; `student_name` is a first name."""

    mentor_slug: str
    mentor_name: str
    student_name: str
    body: str
    written_at: datetime


def _written() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Testimonial.id,
            Testimonial.pack_id,
            Testimonial.mentor_id,
            Testimonial.student_id,
            Testimonial.body,
            Testimonial.status,
            Testimonial.written_at,
            Testimonial.decided_at,
            _mentor.c.name.label("mentor_name"),
            Mentor.slug.label("mentor_slug"),
            _student.c.name.label("student_name"),
        )
        .join(Mentor, Mentor.id == Testimonial.mentor_id)
        .outerjoin(_mentor, sa.true())
        .outerjoin(_student, sa.true())
    )


async def one(session: AsyncSession, where: sa.ColumnElement[bool]) -> Written | None:
    """The one testimonial that the asker may see and that fulfils the condition."""
    row = (await session.execute(_written().where(where))).one_or_none()
    return Written(**row._mapping) if row else None


async def all_of(session: AsyncSession, student_id: UUID) -> list[Written]:
    """The student's own, the newest first."""
    query = _written().where(Testimonial.student_id == student_id)
    rows = await session.execute(query.order_by(Testimonial.written_at.desc(), Testimonial.id))
    return [Written(**row._mapping) for row in rows]


async def listed(
    session: AsyncSession, status: TestimonialStatus | None, *, limit: int, offset: int
) -> tuple[list[Written], int]:
    """Those with `status`, or all of them, pending ones first and each sort the newest first; and how many."""
    where = sa.true() if status is None else Testimonial.status == status
    total = (await session.execute(sa.select(sa.func.count(Testimonial.id)).where(where))).scalar_one()
    order = (Testimonial.status != TestimonialStatus.PENDING, Testimonial.written_at.desc(), Testimonial.id)
    rows = await session.execute(_written().where(where).order_by(*order).limit(limit).offset(offset))
    return [Written(**row._mapping) for row in rows], total


async def pack(session: AsyncSession, pack_id: UUID) -> About | None:
    """The pack, if the asker may see it."""
    query = (
        sa.select(
            SessionPack.id.label("pack_id"),
            SessionPack.mentor_id,
            _teacher.c.name.label("mentor_name"),
            Mentor.slug.label("mentor_slug"),
            sa.func.testimonial_due(SessionPack.id, type_=sa.Boolean).label("due"),
        )
        .join(Mentor, Mentor.id == SessionPack.mentor_id)
        .outerjoin(_teacher, sa.true())
        .where(SessionPack.id == pack_id)
    )
    row = (await session.execute(query)).one_or_none()
    return About(**row._mapping) if row else None


async def add(session: AsyncSession, about: About, student_id: UUID, body: str, now: datetime) -> UUID | None:
    """A new testimonial's id; None where one was written about that pack already."""
    values = {
        "id": new_id(),
        "pack_id": about.pack_id,
        "mentor_id": about.mentor_id,
        "student_id": student_id,
        "body": body,
        "status": TestimonialStatus.PENDING,
        "written_at": now,
    }
    query = insert(Testimonial).values(values).on_conflict_do_nothing(index_elements=["pack_id"])
    return (await session.execute(query.returning(Testimonial.id))).scalar_one_or_none()


async def change(session: AsyncSession, where: sa.ColumnElement[bool], values: dict[str, Any]) -> bool:
    """Change the testimonial that fulfils the condition; False if none does any more."""
    query = sa.update(Testimonial).where(where).values(values).returning(Testimonial.id)
    done = await session.execute(query.execution_options(synchronize_session=False))
    return done.scalar_one_or_none() is not None


async def remove(session: AsyncSession, testimonial_id: UUID) -> bool:
    """Delete an own testimonial; False if it is gone already."""
    query = sa.delete(Testimonial).where(Testimonial.id == testimonial_id).returning(Testimonial.id)
    done = await session.execute(query.execution_options(synchronize_session=False))
    return done.scalar_one_or_none() is not None


async def public(session: AsyncSession, mentor_id: UUID | None, limit: int) -> list[Public]:
    """Approved words about one mentor, or about any, the newest first, whoever asks."""
    query = sa.text(
        "select mentor_slug, mentor_name, student_name, body, written_at"
        " from approved_testimonials(cast(:mentor as uuid), :most)"
    )
    rows = await session.execute(query, {"mentor": mentor_id, "most": limit})
    return [Public(**row._mapping) for row in rows]
