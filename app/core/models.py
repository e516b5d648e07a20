"""Tables that belong to no slice: the outbox and the inbox, the audit log, idempotency keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId, choice


class EventState(StrEnum):
    """Where an outbox event is: `new` until the relay queued it, `dead` after its attempts are used up."""

    NEW = "new"
    QUEUED = "queued"
    DONE = "done"
    DEAD = "dead"


class OutboxEvent(WithId, Base):
    """Something that must happen outside, written in the transaction that made it necessary. Ids only, no names.

    `attempts` came to an end, good or bad; `starts` also counts those whose worker was killed. `due_at`: since when
    it has waited, kept as soon as an attempt failed and `available_at` says when the next one is.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        sa.Index("ix_outbox_waiting", "available_at", postgresql_where=sa.text("state in ('new', 'queued')")),
        sa.Index("ix_outbox_dead", "type", "available_at", postgresql_where=sa.text("state = 'dead'")),
        sa.Index(
            "ix_outbox_put_off",
            "due_at",
            postgresql_where=sa.text("state in ('new', 'queued') and due_at is not null"),
        ),
        sa.CheckConstraint("attempts >= 0", name="attempts"),
    )

    type: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[EventState] = mapped_column(choice(EventState, "state"))
    attempts: Mapped[int]
    starts: Mapped[int] = mapped_column(default=0, server_default="0")
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    queued_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class Vendor(StrEnum):
    """Who tells us something by webhooks that are kept."""

    STRIPE = "stripe"
    PAYPAL = "paypal"
    RESEND = "resend"


class WebhookEvent(WithId, Base):
    """The inbox: a delivery whose signature held, once for each event of a vendor. Raw bodies live 90 days."""

    __tablename__ = "webhook_events"
    __table_args__ = (sa.UniqueConstraint("provider", "provider_event_id"),)

    provider: Mapped[Vendor] = mapped_column(choice(Vendor, "provider"))
    provider_event_id: Mapped[str]
    type: Mapped[str]
    subject: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(index=True)
    processed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class Watchdog(Base):
    """One row: when a relay last looked for what was left behind (machine time), and when people were last alerted
    (business time, as the waiting is that they are alerted about).
    """

    __tablename__ = "watchdog"
    __table_args__ = (sa.CheckConstraint("id = 1", name="id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    swept_at: Mapped[datetime | None]
    alerted_at: Mapped[datetime | None]


class AuditEntry(WithId, Base):
    """Who did what to which row, before and after (personal fields only as changed), from where. Append-only.

    `impersonator_id`: the admin who did it, signed in as the actor.
    """

    __tablename__ = "audit_log"
    __table_args__ = (sa.Index("ix_audit_log_subject", "subject_type", "subject_id", "at"),)

    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[UUID | None] = mapped_column(index=True)
    actor_role: Mapped[str]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    address: Mapped[str | None]
    impersonator_id: Mapped[UUID | None]


class IdempotencyKey(Base):
    """A successful answer kept for 24 h, unique for user, route and key; written in the transaction it answers for."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes]
    response: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(index=True)
