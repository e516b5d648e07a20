"""What services of this slice answer with: plain, typed, free of the ORM. Instants are aware UTC datetimes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from app.booking.models import Conflict, EventSync, SessionStatus


class SessionRow(msgspec.Struct, frozen=True):
    """A session as stored, without its blocked range."""

    id: UUID
    mentor_id: UUID
    student_id: UUID
    pack_id: UUID
    status: SessionStatus
    scheduled_at: datetime
    ends_at: datetime
    booked_at: datetime
    completed_at: datetime | None
    canceled_at: datetime | None
    canceled_by: str | None
    version: int
    notes: str
    recording_url: str | None
    recording_consent: bool
    recording_expires_at: datetime | None
    google_calendar_event_id: str | None
    event_generation: int
    event_version: int | None
    event_sync: EventSync
    conflict: Conflict | None
    conflict_start: datetime | None

    @property
    def start_seconds(self) -> int:
        """The start in epoch seconds, as the rules take it."""
        return int(self.scheduled_at.timestamp())


class SessionFacts(msgspec.Struct, frozen=True):
    """A session as programs see it."""

    id: UUID
    mentor_id: UUID
    student_id: UUID
    pack_id: UUID
    start: datetime
    end: datetime
    status: SessionStatus


class Booked(msgspec.Struct, frozen=True):
    """The answer to a booking: `created` is False where this very session was there already."""

    session: SessionFacts
    created: bool


def facts(row: SessionRow) -> SessionFacts:
    """What programs see of a stored session."""
    return SessionFacts(
        id=row.id,
        mentor_id=row.mentor_id,
        student_id=row.student_id,
        pack_id=row.pack_id,
        start=row.scheduled_at,
        end=row.ends_at,
        status=row.status,
    )
