"""Deliveries: each notification once for an event, a channel and a recipient."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId, choice


class Channel(StrEnum):
    """How a notification reaches somebody."""

    EMAIL = "email"
    DISCORD = "discord"


class DeliveryState(StrEnum):
    """`sending` means a vendor may have it: retried with the same key and body, then `uncertain`, never resent."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"


class SkipReason(StrEnum):
    """Why a notification was recorded and not sent."""

    LATE = "late"  # its time was over before a worker came to it
    OUTDATED = "outdated"  # what it would tell is no longer so: moved, canceled, renewed, done
    TURNED_OFF = "turned_off"  # by its recipient, for this kind and channel
    PAUSED = "paused"  # the address bounced, or its reader complained
    CLOSED = "closed"  # their Discord takes no direct messages: the mail is sent, turned off or not
    NOT_CONFIGURED = "not_configured"  # no key of the vendor is set


class NotificationOptOut(Base):
    """A kind of notification that a person doesn't want on a channel."""

    __tablename__ = "notification_opt_outs"

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[Channel] = mapped_column(choice(Channel, "channel"), primary_key=True)
    since: Mapped[datetime]


class Delivery(WithId, Base):
    """A rendered message and what became of it. Its id is the vendor's idempotency key. `reason`: why it was skipped.

    `rendered` is the vendor's request body, for sending only: no page shows it, and it is wiped after 30 days, with a
    secret in it once sent. `created_at` and `sent_at` are business time; `first_attempt_at` (the first attempt whose
    outcome isn't known) and `claimed_until` are machine time, as the vendor's window is.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.UniqueConstraint("event_id", "channel", "recipient_id"),
        sa.Index(
            "ix_deliveries_undelivered",
            "created_at",
            postgresql_where=sa.text("state in ('failed', 'uncertain')"),
        ),
        sa.Index(
            "ix_deliveries_under_way",
            "created_at",
            postgresql_where=sa.text("state in ('pending', 'sending')"),
        ),
        sa.Index("ix_deliveries_skipped", "created_at", postgresql_where=sa.text("state = 'skipped'")),
    )

    event_id: Mapped[UUID]
    kind: Mapped[str]
    channel: Mapped[Channel] = mapped_column(choice(Channel, "channel"))
    recipient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    state: Mapped[DeliveryState] = mapped_column(choice(DeliveryState, "state"))
    attempts: Mapped[int] = mapped_column(default=0)
    rendered: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    provider_id: Mapped[str | None] = mapped_column(index=True)
    last_error: Mapped[str | None]
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    first_attempt_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
