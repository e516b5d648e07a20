"""Disputes: a student says that a session was marked wrongly; its mentor or an admin decides."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId, choice


class DisputeStatus(StrEnum):
    """`upheld`: the session went back to the pack; `rejected`: the mark stays; `withdrawn`: by the student."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Marked(StrEnum):
    """The marks that can be disputed, named as the session's status."""

    COMPLETED = "completed"
    NO_SHOW = "no_show"


class Dispute(WithId, Base):
    """One student's objection to one marking, named by the session's `version` at that time.

    Of a session that was marked anew since, nothing is left to decide: its `version` is another one.
    """

    __tablename__ = "session_disputes"
    __table_args__ = (
        sa.CheckConstraint("char_length(reason) <= 1000", name="reason"),
        sa.CheckConstraint("char_length(answer) <= 1000", name="answer"),
        sa.CheckConstraint("(status = 'open') = (decided_at is null)", name="decided_at"),
        sa.Index("uq_session_disputes_marking", "session_id", "version", unique=True),
        sa.Index("ix_session_disputes_open", "opened_at", postgresql_where=sa.text("status = 'open'")),
    )

    session_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sessions.id"))
    version: Mapped[int]
    marked: Mapped[Marked] = mapped_column(choice(Marked, "marked"))
    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id"), index=True)
    student_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    reason: Mapped[str]
    status: Mapped[DisputeStatus] = mapped_column(choice(DisputeStatus, "status"), default=DisputeStatus.OPEN)
    opened_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    answer: Mapped[str] = mapped_column(default="", server_default="")
