"""Mentors: teaching profile, the rules of their calendar, and what they sell."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import CITEXT, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId


class Mentor(Base):
    """A user who teaches; shares the user's id, so that `mentor_id` names the person.

    `working_hours`: `{"1": [[540, 720], [810, 1080]], …}`, ISO weekday to wall minutes of the day in `time_zone`; None
    where the mentor keeps none (then Google alone decides).
    """

    __tablename__ = "mentors"
    __table_args__ = (
        sa.CheckConstraint("max_active_students between 0 and 10000", name="max_active_students"),
        sa.CheckConstraint("notice_minutes between 0 and 43200", name="notice_minutes"),
        sa.CheckConstraint("horizon_days between 1 and 365", name="horizon_days"),
        sa.CheckConstraint("session_minutes between 15 and 480", name="session_minutes"),
        sa.CheckConstraint("step_minutes between 5 and 240", name="step_minutes"),
        sa.CheckConstraint("buffer_before_minutes between 0 and 240", name="buffer_before_minutes"),
        sa.CheckConstraint("buffer_after_minutes between 0 and 240", name="buffer_after_minutes"),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
    )

    id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    slug: Mapped[str] = mapped_column(CITEXT, unique=True)
    headline: Mapped[str] = mapped_column(default="")
    bio: Mapped[str] = mapped_column(default="")
    max_active_students: Mapped[int] = mapped_column(default=5)
    time_zone: Mapped[str]
    working_hours: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    notice_minutes: Mapped[int] = mapped_column(default=24 * 60)
    horizon_days: Mapped[int] = mapped_column(default=60)
    session_minutes: Mapped[int] = mapped_column(default=60)
    step_minutes: Mapped[int] = mapped_column(default=30)
    buffer_before_minutes: Mapped[int] = mapped_column(default=0)
    buffer_after_minutes: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class DateOverride(Base):
    """Other hours on one local date of the mentor: `[[540, 720]]` in wall minutes; empty means closed."""

    __tablename__ = "date_overrides"

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id", ondelete="CASCADE"), primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    intervals: Mapped[list[list[int]]] = mapped_column(JSONB)


class Product(WithId, Base):
    """A session pack on sale."""

    __tablename__ = "mentorship_products"
    __table_args__ = (
        sa.CheckConstraint("price_minor >= 0", name="price_minor"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint("sessions_per_pack between 1 and 100", name="sessions_per_pack"),
        sa.CheckConstraint("validity_days between 1 and 365", name="validity_days"),
        sa.CheckConstraint("char_length(title) between 1 and 120", name="title"),
    )

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id", ondelete="CASCADE"), index=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    price_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    sessions_per_pack: Mapped[int] = mapped_column(default=4)
    validity_days: Mapped[int] = mapped_column(default=45)
    stripe_price_id: Mapped[str | None] = mapped_column(unique=True)
    paypal_product_id: Mapped[str | None] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
