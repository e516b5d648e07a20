"""Absences: whole local days on which a mentor holds no sessions."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId


class Absence(WithId, Base):
    """A mentor is away from `first_day` to `last_day`, both included, in the mentor's zone.

    `days_added`: by how many days the packs that were live then were extended. `ended_at`: taken back.
    """

    __tablename__ = "absences"
    __table_args__ = (
        sa.CheckConstraint("first_day <= last_day and last_day - first_day < 366", name="days"),
        sa.CheckConstraint("days_added >= 0", name="days_added"),
        ExcludeConstraint(
            ("mentor_id", "="),
            (sa.text("daterange(first_day, last_day, '[]')"), "&&"),
            name="ex_absences_days",
            where=sa.text("ended_at is null"),
            using="gist",
        ),
        sa.Index("ix_absences_mentor", "mentor_id", "last_day"),
    )

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id", ondelete="CASCADE"))
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    days_added: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
