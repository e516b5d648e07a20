"""Who comes into a session's video room, and who stays. Pure; source: "Video" of the domain.

Instants are aware UTC datetimes of business time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.booking import door
from app.booking.models import SessionStatus
from app.core.errors import Refused

_SENTENCES: Final = {
    "not_yours": "This isn’t a session of yours.",
    "canceled": "This session was canceled.",
    "not_scheduled": "This session is over: it was marked as {status}.",
    "no_session_left": "The pack of this session has no session left.",
    "too_early": "The room isn’t open yet. It opens 15 minutes before the start.",
    "too_late": "The room is closed. It closes 30 minutes after the end.",
    "moved": "This session was moved to another time.",
    "signed_out": "You are signed out.",
    "bad_token": "This page’s key to the room is used or expired.",
}
_STATUS_WORDS: Final = {SessionStatus.COMPLETED: "completed", SessionStatus.NO_SHOW: "a no-show"}


@dataclass(frozen=True)
class Meeting:
    """What decides: whose session it is, when, its status, and how many sessions its pack still has."""

    id: UUID
    mentor_id: UUID
    student_id: UUID
    status: SessionStatus
    start: datetime
    end: datetime
    remaining: int

    @property
    def opens_at(self) -> datetime:
        """When the door opens."""
        return door.opens_at(self.start)

    @property
    def closes_at(self) -> datetime:
        """When the door closes."""
        return door.closes_at(self.end)

    def other_than(self, user_id: UUID) -> UUID:
        """The other of the two."""
        return self.student_id if user_id == self.mentor_id else self.mentor_id


@dataclass(frozen=True)
class Refusal:
    """A rule's no: a code, a sentence, and what joins them in the problem document."""

    code: str
    detail: str
    extra: dict[str, Any]


class CallRefused(Refused):
    """Raised where the room isn't open for the asker: 403 for who it is, 409 for the state of things."""

    def __init__(self, refusal: Refusal) -> None:
        status = 403 if refusal.code == "not_yours" else 409
        super().__init__(refusal.code, refusal.detail, status=status)
        self.extra = refusal.extra


def no_entry(
    meeting: Meeting | None, user_id: UUID, now: datetime, *, impersonated: bool = False
) -> Refusal | None:
    """Why this person gets no token at `now`, None if they do; the first that applies.

    `meeting` is None where there is none, or none that they may see. Nobody meets in somebody else's name.
    """
    if meeting is None or impersonated or user_id not in (meeting.mentor_id, meeting.student_id):
        return refusal("not_yours")
    if meeting.status is SessionStatus.CANCELED:
        return refusal("canceled")
    if meeting.status is not SessionStatus.SCHEDULED:
        return refusal("not_scheduled", status=_STATUS_WORDS[meeting.status])
    if meeting.remaining <= 0:
        return refusal("no_session_left")
    return _shut(meeting, now)


def no_stay(meeting: Meeting | None, user_id: UUID, now: datetime, *, came_for: datetime) -> Refusal | None:
    """Why somebody inside is seen out at `now`, None if they stay. `came_for`: the start as it was when they came.

    A mark, and the credit that went with it, sees nobody out: people may still be talking when it is set.
    """
    if meeting is None or user_id not in (meeting.mentor_id, meeting.student_id):
        return refusal("not_yours")
    if meeting.status is SessionStatus.CANCELED:
        return refusal("canceled")
    shut = _shut(meeting, now)
    return refusal("moved") if shut is not None and meeting.start != came_for else shut


def refusal(code: str, *, status: str = "", **extra: Any) -> Refusal:
    """The refusal with that code, in words."""
    return Refusal(code, _SENTENCES[code].format(status=status), extra)


def _shut(meeting: Meeting, now: datetime) -> Refusal | None:
    match door.state(meeting.start, meeting.end, now):
        case door.Door.EARLY:
            return refusal("too_early", opens_at=meeting.opens_at)
        case door.Door.SHUT:
            return refusal("too_late")
        case door.Door.OPEN:
            return None
