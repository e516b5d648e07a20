"""Who was in a session's room, in words, and the marks that this proposes; as booking/_attendance.html takes it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from app.booking import door
from app.booking.attendance import NOBODY, Attendance, Presence, proposed
from app.booking.lists import Listed
from app.booking.models import SessionStatus
from app.core.unit_of_work import Role
from app.core.web import Viewer

_LABELS: Final = {
    SessionStatus.COMPLETED: "Completed",
    SessionStatus.NO_SHOW: "No-show",
    SessionStatus.SCHEDULED: "Undo",
}
_MARKS: Final = (SessionStatus.COMPLETED, SessionStatus.NO_SHOW)


def shown(session: Listed, found: Attendance | None, viewer: Viewer, now: datetime) -> dict[str, Any] | None:
    """What pages say about who was there; None as long as nobody could have been.

    `marks`: for whoever marks the session and while it is to be marked, what may be set, what is proposed first.
    """
    if not has_begun(session, now) or (session.status is SessionStatus.CANCELED and found is None):
        return None
    there = found or NOBODY
    unmarked = session.status is SessionStatus.SCHEDULED and now >= session.start
    marking = unmarked and marked_by(session, viewer)
    mentor = "You" if viewer.id == session.mentor_id else session.mentor_name
    student = "You" if viewer.id == session.student_id else session.student_name
    return facts(mentor, student, there) | {
        "sentence": _sentence(session, there, viewer, now) if marking else None,
        "marks": marks(session, there, now) if marking else [],
        "is_over": now >= session.end,
    }


def facts(mentor: str, student: str, found: Attendance | None) -> dict[str, Any]:
    """Who was there, by what they are called, as booking/_attendance_facts.html takes it."""
    there = found or NOBODY
    return {
        "people": [_person(mentor, there.mentor), _person(student, there.student)],
        "together": length(there.together) if there.together else None,
        "sentence": None,
    }


def has_begun(session: Listed, now: datetime) -> bool:
    """True as soon as somebody could have been in the room."""
    return now >= door.opens_at(session.start)


def marked_by(session: Listed, viewer: Viewer) -> bool:
    """True for its mentor and for admins."""
    return viewer.id == session.mentor_id or viewer.role is Role.ADMIN


def marks(session: Listed, found: Attendance, now: datetime) -> list[dict[str, Any]]:
    """Both marks, the proposed one first: {status, label, proposed}."""
    wish = proposed(found, session.start, session.end, now).status
    order = sorted(_MARKS, key=lambda status: status is not wish)
    return [mark(status, is_proposed=status is wish) for status in order]


def mark(status: SessionStatus, *, is_proposed: bool = False) -> dict[str, Any]:
    """A button that marks a session, as the templates take it."""
    return {"status": status.value, "label": _LABELS[status], "proposed": is_proposed}


def length(seconds: int) -> str:
    """`52 minutes`, `1 minute`, `less than a minute`."""
    minutes = seconds // 60
    if not minutes:
        return "less than a minute"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _person(name: str, presence: Presence | None) -> dict[str, Any]:
    if presence is None:
        return {"name": name, "first": None}
    return {
        "name": name,
        "first": presence.first,
        "last": None if presence.is_there else presence.last,
        "length": length(presence.seconds),
    }


def _sentence(session: Listed, found: Attendance, viewer: Viewer, now: datetime) -> str:
    """What the evidence says to who marks."""
    own = viewer.id == session.mentor_id
    mentor, student = "You" if own else session.mentor_name, session.student_name
    both = f"You and {student}" if own else f"{mentor} and {student}"
    was = "were" if own else "was"
    by_mentor = length(found.mentor.seconds) if found.mentor else ""
    by_student = length(found.student.seconds) if found.student else ""
    sentences = {
        "not_over": "When it is over, this page proposes how to mark it.",
        "together": f"{both} were in the room together for {length(found.together)}.",
        "student_absent": f"{mentor} {was} in the room for {by_mentor}; {student} never came.",
        "nobody": "Nobody was in the video room, so nothing is proposed.",
        "mentor_absent": f"{student} was in the room for {by_student}; {mentor.lower() if own else mentor} never came.",
        "too_short": f"{both} were in the room together for {length(found.together)} only, so nothing is proposed.",
        "missed_each_other": f"{both} were in the room, but never at once, so nothing is proposed.",
        "mentor_not_in_time": f"{mentor} {was} in the room, but not in the session’s time, so nothing is proposed.",
    }
    return sentences[proposed(found, session.start, session.end, now).why]
