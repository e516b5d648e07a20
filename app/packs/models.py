"""Packs and their ledger, seats and their history, the waitlist."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId, choice


class PackStatus(StrEnum):
    """Whether a pack's sessions can be spent."""

    ACTIVE = "active"
    DEPLETED = "depleted"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class EntryKind(StrEnum):
    """Why the number of sessions left in a pack changed."""

    PURCHASE = "purchase"
    GRANT = "grant"
    COMPLETE = "complete"
    NO_SHOW = "no_show"
    LATE_CANCEL = "late_cancel"
    REVERSAL = "reversal"
    ADJUST = "adjust"
    REFUND = "refund"
    EXPIRE = "expire"


class SeatStatus(StrEnum):
    """A seat's life; all but `released` are live and count against the mentor's capacity."""

    OFFERED = "offered"
    HELD = "held"
    ACTIVE = "active"
    GRACE = "grace"
    RELEASED = "released"


class SessionPack(WithId, Base):
    """Sessions a student owns with a mentor.

    `remaining_sessions` is the sum of the ledger and `scheduled_sessions` the number of booked sessions: triggers keep
    both, and the check makes the database refuse a booking beyond the credit. `import_key`: what it was called where it was kept before, so that nothing is brought over
    twice.
    """

    __tablename__ = "session_packs"
    __table_args__ = (
        sa.UniqueConstraint("id", "mentor_id", "student_id"),
        sa.CheckConstraint(
            "scheduled_sessions >= 0 and scheduled_sessions <= remaining_sessions", name="credit"
        ),
        sa.CheckConstraint("total_sessions >= 0", name="total_sessions"),
        sa.CheckConstraint("mentor_id <> student_id", name="pair"),
        sa.Index("ix_session_packs_pair", "student_id", "mentor_id"),
        sa.Index("ix_session_packs_mentor", "mentor_id", "student_id"),
    )

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id"))
    student_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    product_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("mentorship_products.id"), index=True)
    status: Mapped[PackStatus] = mapped_column(choice(PackStatus, "status"), default=PackStatus.ACTIVE)
    frozen: Mapped[bool] = mapped_column(default=False)
    total_sessions: Mapped[int]
    remaining_sessions: Mapped[int] = mapped_column(default=0)
    scheduled_sessions: Mapped[int] = mapped_column(default=0)
    purchased_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    import_key: Mapped[str | None] = mapped_column(unique=True)


class PackEntry(WithId, Base):
    """One line of a pack's append-only ledger: who changed the sessions left, by how many, when and why."""

    __tablename__ = "pack_entries"
    __table_args__ = (sa.CheckConstraint("delta <> 0", name="delta"),)

    pack_id: Mapped[UUID] = mapped_column(sa.ForeignKey("session_packs.id"), index=True)
    session_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("sessions.id"), index=True)
    kind: Mapped[EntryKind] = mapped_column(choice(EntryKind, "kind"))
    delta: Mapped[int]
    actor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    reason: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class WaitOutcome(StrEnum):
    """How waiting ended."""

    SEATED = "seated"
    LAPSED = "lapsed"
    LEFT = "left"
    REMOVED = "removed"


class SeatReservation(WithId, Base):
    """A student's place with a mentor; one live seat a pair, and never more than the mentor has (a trigger counts).

    `seat_expires_at` ends an offer, a hold or the grace. `offered_until` is kept while an offered seat is held, to go
    back to. `held_until` postpones the end of grace: somebody is paying.
    """

    __tablename__ = "seat_reservations"
    __table_args__ = (
        sa.Index(
            "uq_seat_reservations_live_pair",
            "mentor_id",
            "student_id",
            unique=True,
            postgresql_where=sa.text("status <> 'released'"),
        ),
        sa.CheckConstraint(
            "(status in ('offered', 'held', 'grace')) = (seat_expires_at is not null)", name="seat_expires_at"
        ),
    )

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id"), index=True)
    student_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    status: Mapped[SeatStatus] = mapped_column(choice(SeatStatus, "status"))
    seat_expires_at: Mapped[datetime | None] = mapped_column(index=True)
    offered_until: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class SeatEntry(Base):
    """History of a seat, append-only, written by a trigger; `id` rises in the order of the changes."""

    __tablename__ = "seat_entries"

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    seat_id: Mapped[UUID] = mapped_column(sa.ForeignKey("seat_reservations.id"), index=True)
    mentor_id: Mapped[UUID] = mapped_column(index=True)
    student_id: Mapped[UUID] = mapped_column(index=True)
    status: Mapped[SeatStatus] = mapped_column(choice(SeatStatus, "status"))
    at: Mapped[datetime]


class WaitlistEntry(WithId, Base):
    """Who waits for a seat of a mentor, first come first served; with `offered_at` a seat is offered to them."""

    __tablename__ = "waitlist"
    __table_args__ = (
        sa.Index(
            "uq_waitlist_waiting_pair",
            "mentor_id",
            "student_id",
            unique=True,
            postgresql_where=sa.text("left_at is null"),
        ),
        sa.CheckConstraint("(left_at is null) = (outcome is null)", name="left"),
    )

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id"), index=True)
    student_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    joined_at: Mapped[datetime]
    offered_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    outcome: Mapped[WaitOutcome | None] = mapped_column(choice(WaitOutcome, "outcome"))
