"""Tokens of the video room."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId


class CallToken(WithId, Base):
    """A token that was issued for one session and one user; it opens the room once. Only its hash is kept."""

    __tablename__ = "call_tokens"
    __table_args__ = (sa.CheckConstraint("issued_at < expires_at", name="expires_at"),)

    session_id: Mapped[UUID] = mapped_column(sa.ForeignKey("sessions.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
