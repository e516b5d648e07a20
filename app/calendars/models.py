"""A mentor's Google Calendar: the grant, how fresh the mirror is, and the busy windows themselves."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, choice


class CalendarState(StrEnum):
    """`connected`: usable; `revoked`: the grant is gone, booking is blocked until the mentor reconnects."""

    CONNECTED = "connected"
    REVOKED = "revoked"


class CalendarConnection(Base):
    """A mentor's grant. The refresh token is encrypted; only the service role reads this table's secrets.

    `calendars`: [id, name] of those that may be chosen, as last seen. `left_calendar_id`: the calendar used
    before, until our events are gone from it. `mirror_version` rises whenever busy windows may have changed:
    who read Google before it rose knows less than the mirror does.
    """

    __tablename__ = "calendar_connections"

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[CalendarState] = mapped_column(choice(CalendarState, "state"))
    google_email: Mapped[str]
    google_calendar_id: Mapped[str]
    left_calendar_id: Mapped[str | None]
    calendars: Mapped[list[list[str]]] = mapped_column(JSONB, default=list)
    google_refresh_token: Mapped[bytes]
    sync_token: Mapped[str | None]
    synced_until: Mapped[datetime | None]
    calendar_time_zone: Mapped[str | None]
    mirror_version: Mapped[int] = mapped_column(default=0)
    mirrored_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    channel_id: Mapped[str | None] = mapped_column(unique=True)
    channel_resource_id: Mapped[str | None]
    channel_token_hash: Mapped[bytes | None]
    channel_expires_at: Mapped[datetime | None]
    connected_at: Mapped[datetime]


class BusyWindow(Base):
    """A span in which the mentor's Google Calendar says busy; what it is about is never stored."""

    __tablename__ = "busy_windows"
    __table_args__ = (
        sa.Index("ix_busy_windows_span", "mentor_id", "span", postgresql_using="gist"),
        sa.CheckConstraint("not isempty(span)", name="span"),
    )

    mentor_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("calendar_connections.mentor_id", ondelete="CASCADE"), primary_key=True
    )
    event_id: Mapped[str] = mapped_column(primary_key=True)
    span: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
