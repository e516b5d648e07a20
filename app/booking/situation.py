"""What a booking is decided on, read at one moment: the mentor's rules, what is taken, the student's packs and seat.

Instants are epoch seconds in UTC. `repository.situation` reads it with one query.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec

from app.booking.slots import Rules, Snapshot, Span
from app.mentors.hours import WallInterval


class PackView(msgspec.Struct, frozen=True):
    """A pack as far as booking cares. `remaining` includes the `scheduled` ones."""

    id: UUID
    status: str
    frozen: bool
    total: int
    remaining: int
    scheduled: int
    purchased_at: int
    expires_at: int

    @property
    def credit(self) -> int:
        """Sessions that can still be booked."""
        return self.remaining - self.scheduled


class SeatView(msgspec.Struct, frozen=True):
    """The pair's live seat; `expires_at` where its status ends by itself."""

    status: str
    expires_at: int | None


class OwnSession(msgspec.Struct, frozen=True):
    """A scheduled session of the student's, with whomever."""

    id: UUID
    mentor_id: UUID
    pack_id: UUID
    start: int
    end: int
    blocked: Span


class MentorView(msgspec.Struct, frozen=True):
    """A mentor and the rules of their calendar. `calendar`: `connected`, `revoked` or None without Google.

    `away`: first and last local dates of each absence.
    """

    id: UUID
    name: str
    slug: str
    time_zone: str
    hours: dict[int, list[WallInterval]] | None
    overrides: dict[date, list[WallInterval]]
    calendar: str | None
    mirrored_at: int | None
    notice_minutes: int
    horizon_days: int
    session_minutes: int
    step_minutes: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    away: list[tuple[date, date]] = []

    @property
    def horizon(self) -> timedelta:
        """How far ahead times are offered."""
        return timedelta(days=self.horizon_days)

    @property
    def rules(self) -> Rules:
        """As the slot engine takes them."""
        return Rules(
            time_zone=self.time_zone,
            hours=self.hours,
            overrides=self.overrides,
            away=self.away,
            calendar_connected=self.calendar == "connected",
            notice_minutes=self.notice_minutes,
            horizon_days=self.horizon_days,
            length_minutes=self.session_minutes,
            step_minutes=self.step_minutes,
            buffer_before_minutes=self.buffer_before_minutes,
            buffer_after_minutes=self.buffer_after_minutes,
        )


class Situation(msgspec.Struct, frozen=True):
    """One mentor, what is taken in a window, and what the asking student has (nothing where nobody asks).

    `moving`: the session that is to be moved; its own time and credit count as free. `elsewhere`: when the student is
    taken, for an asker who may not see all of their sessions.
    """

    mentor: MentorView
    busy: list[Span]
    blocked: list[Span]
    own: list[OwnSession]
    packs: list[PackView]
    seat: SeatView | None
    moving: OwnSession | None = None
    elsewhere: list[Span] = []

    def with_moving(self, session_id: UUID) -> Situation:
        """The same, seen by somebody who moves that session; unchanged if it isn't among the own ones."""
        found = next((own for own in self.own if own.id == session_id), None)
        if found is None:
            return self
        packs = [_released(pack) if pack.id == found.pack_id else pack for pack in self.packs]
        return msgspec.structs.replace(self, moving=found, packs=packs)

    def snapshot(self, valid_until: int | None, live: Sequence[Span] = ()) -> Snapshot:
        """As the slot engine takes it; `live`: windows that Google reported just now."""
        blocked, own, elsewhere = self.blocked, self.own, self.elsewhere
        if self.moving is not None:
            moving = self.moving
            # Blocked ranges of one mentor never overlap, so that an equal one is this session's.
            blocked = [span for span in blocked if span != moving.blocked]
            own = [session for session in own if session.id != moving.id]
            elsewhere = [span for span in elsewhere if span != (moving.start, moving.end)]
        return Snapshot(
            busy=[*self.busy, *live],
            blocked=blocked,
            own=[*((session.start, session.end) for session in own), *elsewhere],
            valid_until=valid_until,
        )


def _released(pack: PackView) -> PackView:
    return msgspec.structs.replace(pack, scheduled=pack.scheduled - 1)
