"""What a mentor keeps about a mentee beyond packs and sessions."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class MenteeNote(Base):
    """A mentor's own notes about a student, which the student never sees."""

    __tablename__ = "mentee_notes"
    __table_args__ = (sa.CheckConstraint("char_length(body) <= 10000", name="body"),)

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id", ondelete="CASCADE"), primary_key=True)
    student_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    body: Mapped[str]
    changed_at: Mapped[datetime]


class RenewalRequest(Base):
    """A mentor asked a student to renew; `day` is the mentor's local date: once a day at most."""

    __tablename__ = "renewal_requests"

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id", ondelete="CASCADE"), primary_key=True)
    student_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime]
