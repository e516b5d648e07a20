"""Sessions: booked meetings. Constraints, not checks before the insert, decide who gets a time."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId, choice


class SessionStatus(StrEnum):
    """A session's life; `scheduled` occupies time and credit."""

    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    CANCELED = "canceled"
    NO_SHOW = "no_show"


class EventSync(StrEnum):
    """How far the mentor's Google Calendar is: `none` where no calendar is connected."""

    NONE = "none"
    PENDING = "pending"
    WRITTEN = "written"
    FAILED = "failed"


class Conflict(StrEnum):
    """What the mentor did to our event in Google, shown and never followed silently."""

    MOVED = "moved"
    DELETED = "deleted"


class Session(WithId, Base):
    """One booked meeting, half-open in UTC.

    `blocked` is the range that no other session of the mentor may touch, written from the buffers in force at booking
    or move. `version` rises with every change that others must hear of: it is the ICS SEQUENCE and tells the calendar
    job whether it wrote the newest state (`event_version`). `start_version`: the one that set the start, by booking, move
    or undo; reminders of an earlier one are outdated. `recording_consent`: both people agree, kept by a trigger that also
    takes the link away as soon as one of them doesn't any more.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        ExcludeConstraint(
            ("mentor_id", "="),
            ("blocked", "&&"),
            name="ex_sessions_mentor_blocked",
            where=sa.text("status = 'scheduled'"),
            using="gist",
        ),
        ExcludeConstraint(
            ("student_id", "="),
            (sa.text("tstzrange(scheduled_at, ends_at)"), "&&"),
            name="ex_sessions_student_own",
            where=sa.text("status = 'scheduled'"),
            using="gist",
        ),
        sa.ForeignKeyConstraint(
            ["pack_id", "mentor_id", "student_id"],
            ["session_packs.id", "session_packs.mentor_id", "session_packs.student_id"],
        ),
        sa.CheckConstraint("scheduled_at < ends_at", name="length"),
        sa.CheckConstraint("blocked @> tstzrange(scheduled_at, ends_at)", name="blocked"),
        sa.CheckConstraint(
            "(status in ('completed', 'no_show')) = (completed_at is not null)", name="completed_at"
        ),
        sa.CheckConstraint("(status = 'canceled') = (canceled_at is not null)", name="canceled_at"),
        sa.CheckConstraint("recording_url is null or recording_url ~ '^https://'", name="recording_url"),
        sa.CheckConstraint("recording_url is null or recording_consent", name="recording_consent"),
        sa.CheckConstraint(
            "(recording_url is null) = (recording_expires_at is null)", name="recording_expires_at"
        ),
        sa.CheckConstraint("char_length(notes) <= 10000", name="notes"),
        # What they include answers for a pair without a look at the rows, which lie apart.
        sa.Index(
            "ix_sessions_student",
            "student_id",
            "scheduled_at",
            postgresql_include=["id", "mentor_id", "status"],
        ),
        sa.Index("ix_sessions_mentor", "mentor_id", "scheduled_at"),
        sa.Index("ix_sessions_unmarked", "ends_at", postgresql_where=sa.text("status = 'scheduled'")),
        sa.Index(
            "ix_sessions_event_pending", "booked_at", postgresql_where=sa.text("event_sync = 'pending'")
        ),
        sa.Index("ix_sessions_pack", "pack_id", "mentor_id", "student_id"),
        sa.Index("ix_sessions_when", "scheduled_at", "status"),
        sa.Index(
            "ix_sessions_conflict",
            "scheduled_at",
            postgresql_where=sa.text("conflict is not null and status = 'scheduled'"),
        ),
    )

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id"))
    student_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    pack_id: Mapped[UUID]
    status: Mapped[SessionStatus] = mapped_column(
        choice(SessionStatus, "status"), default=SessionStatus.SCHEDULED
    )
    scheduled_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    blocked: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    booked_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    canceled_at: Mapped[datetime | None]
    canceled_by: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=0)
    start_version: Mapped[int] = mapped_column(default=0, server_default="0")
    notes: Mapped[str] = mapped_column(default="")
    recording_url: Mapped[str | None]
    recording_consent: Mapped[bool] = mapped_column(default=False)
    recording_expires_at: Mapped[datetime | None]
    google_calendar_event_id: Mapped[str | None] = mapped_column(unique=True)
    event_generation: Mapped[int] = mapped_column(default=0)
    event_version: Mapped[int | None]
    event_sync: Mapped[EventSync] = mapped_column(choice(EventSync, "event_sync"), default=EventSync.NONE)
    event_claimed_until: Mapped[datetime | None]
    conflict: Mapped[Conflict | None] = mapped_column(choice(Conflict, "conflict"))
    conflict_start: Mapped[datetime | None]


class ProposalStatus(StrEnum):
    """What became of a proposed time; `withdrawn`: by its mentor, or because the session moved or ended otherwise."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class MoveProposal(WithId, Base):
    """Another time that a mentor proposes for a session; only its student moves it there."""

    __tablename__ = "move_proposals"
    __table_args__ = (
        sa.Index(
            "uq_move_proposals_open",
            "session_id",
            unique=True,
            postgresql_where=sa.text("status = 'open'"),
        ),
        sa.CheckConstraint("(status = 'open') = (decided_at is null)", name="decided_at"),
    )

    session_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sessions.id"), index=True)
    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id"), index=True)
    student_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    starts_at: Mapped[datetime]
    status: Mapped[ProposalStatus] = mapped_column(
        choice(ProposalStatus, "status"), default=ProposalStatus.OPEN
    )
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Visit(WithId, Base):
    """One stay of one of its two people in a session's video room: evidence, written by the service alone.

    `seen_at` follows while it lasts; a stay without `left_at` that wasn't seen for a while ended then.
    """

    __tablename__ = "session_visits"
    __table_args__ = (
        sa.CheckConstraint("joined_at <= seen_at", name="seen_at"),
        sa.CheckConstraint("left_at >= joined_at", name="left_at"),
        sa.Index("ix_session_visits_session", "session_id", "joined_at"),
    )

    session_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sessions.id"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    joined_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class RecordingConsent(Base):
    """One person agrees that a session is recorded and its link kept; taken back, the row is gone."""

    __tablename__ = "recording_consents"

    session_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sessions.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), primary_key=True, index=True)
    agreed_at: Mapped[datetime]


class SessionCount(Base):
    """How many completed sessions a mentor has, kept by a trigger: counting a million takes too long for a list."""

    __tablename__ = "session_counts"

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id", ondelete="CASCADE"), primary_key=True)
    completed: Mapped[int] = mapped_column(default=0)
