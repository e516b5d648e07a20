"""Testimonials: what students say about their mentor once they know them, public when an admin approved it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId, choice


class TestimonialStatus(StrEnum):
    """`approved` ones are public; a `declined` one stays its writer's."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"


class Testimonial(WithId, Base):
    """One student's words about one mentor, once a pack."""

    __tablename__ = "testimonials"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["pack_id", "mentor_id", "student_id"],
            ["session_packs.id", "session_packs.mentor_id", "session_packs.student_id"],
        ),
        sa.CheckConstraint(
            "char_length(body) between 50 and 1000 and body = btrim(body, E' \\t\\n\\r')", name="body"
        ),
        sa.CheckConstraint("(status = 'pending') = (decided_at is null)", name="decided_at"),
        sa.Index("ix_testimonials_pack", "pack_id", "mentor_id", "student_id"),
        sa.Index("ix_testimonials_mentor", "mentor_id", "status", "written_at"),
        sa.Index("ix_testimonials_approved", "written_at", postgresql_where=sa.text("status = 'approved'")),
    )

    pack_id: Mapped[UUID] = mapped_column(unique=True)
    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id"))
    student_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    body: Mapped[str]
    status: Mapped[TestimonialStatus] = mapped_column(
        choice(TestimonialStatus, "status"), default=TestimonialStatus.PENDING
    )
    written_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
