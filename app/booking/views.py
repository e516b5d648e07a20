"""Sessions as the templates show them to a student, a mentor or an admin. Pure; instants are aware UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.booking import attendance_views, door, recording_views, rules
from app.booking.attendance import Attendance
from app.booking.lists import Listed
from app.booking.meanwhile import Editor
from app.booking.models import Conflict, EventSync, SessionStatus
from app.core.seen import digest
from app.core.templating import stamp
from app.core.unit_of_work import Role
from app.core.web import Viewer

FREE_CHANGE: Final = timedelta(seconds=rules.FREE_CHANGE_SECONDS)
_COMPLETED = attendance_views.mark(SessionStatus.COMPLETED)
_NO_SHOW = attendance_views.mark(SessionStatus.NO_SHOW)
_UNDO = attendance_views.mark(SessionStatus.SCHEDULED)
_KEEP = _UNDO | {"label": "Keep our time"}


def row(session: Listed, viewer: Viewer, now: datetime, *, proposed: bool = False) -> dict[str, Any]:
    """A session as booking/_session_row.html and booking/session.html take it. `proposed`: another time is."""
    asked = session.status, _seconds(session.start), _seconds(now)
    movable = rules.refusal_to_move(*asked, proposed=proposed) is None
    open_ = rules.refusal_to_cancel(*asked) is None
    return {
        "id": session.id,
        "start": session.start,
        "end": session.end,
        "status": session.status,
        **_with(session, viewer),
        "calendar_pending": session.event_sync is EventSync.PENDING,
        "can_move": movable and viewer.role is Role.STUDENT,
        "can_cancel": open_ and viewer.role is not Role.ADMIN,
        "can_propose": viewer.role is Role.MENTOR and rules.refusal_to_propose(*asked) is None,
        "policy": _policy(session, viewer, now, proposed) if open_ else None,
        **recording_views.link(session, now),
        "notes": session.notes or None,
        **_way_in(session, viewer, now),
    }


def mentor_row(
    session: Listed,
    viewer: Viewer,
    now: datetime,
    base: str = "/instructor/sessions",
    found: Attendance | None = None,
) -> dict[str, Any]:
    """A session as booking/_instructor_session.html takes it, for its mentor or an admin; forms post below `base`.

    `found`: who was there, looked at where it is to be marked.
    """
    shown = row(session, viewer, now)
    attendance = attendance_views.shown(session, found, viewer, now)
    can_cancel = rules.refusal_to_cancel(session.status, _seconds(session.start), _seconds(now)) is None
    return shown | {
        "base": f"{base}/{session.id}",
        "mentor_id": session.mentor_id,
        "names": {session.mentor_id: session.mentor_name, session.student_id: session.student_name},
        "can_cancel": can_cancel,
        "seen": {
            "status": session.status,
            "notes": digest(session.notes),
            "recording_url": digest(session.recording_url or ""),
        },
        "meanwhile": None,
        "notes": session.notes,
        "recording_url": session.recording_url,
        "recording": recording_views.keeping(session, viewer),
        "conflict": _conflict(session, viewer.time_zone),
        "actions": attendance["marks"] if attendance and attendance["marks"] else _actions(session, now),
        "attendance": attendance if attendance and attendance["marks"] and attendance["is_over"] else None,
        "errors": {},
        "expanded": False,
        "saved": None,
    }


def meanwhile_status(shown: dict[str, Any], by: Editor | None, viewer: Viewer) -> str:
    """What the second editor of a status is told."""
    became = {"scheduled": "scheduled again", "completed": "marked as completed", "canceled": "canceled"}
    word = became.get(shown["status"], "marked as no-show")
    return f"Meanwhile it was {word}{_by(shown, by, viewer)}. Nothing was changed."


def meanwhile_text(shown: dict[str, Any], part: str, by: Editor | None, viewer: Viewer) -> dict[str, str]:
    """What the second editor of notes or link is told: the other version, and its digest."""
    what = "These notes were" if part == "notes" else "This link was"
    title = f"{what} changed meanwhile{_by(shown, by, viewer)}"
    return {"part": part, "title": title, "text": shown[part] or "", "seen": shown["seen"][part]}


def _by(shown: dict[str, Any], by: Editor | None, viewer: Viewer) -> str:
    if by is None:
        return ""
    if by.id == viewer.id:
        return " by you, in another window"
    if by.id is None:
        return " automatically"
    return f" by {shown['names'].get(by.id, 'an administrator')}"


def cancellation(session: Listed, viewer: Viewer, now: datetime) -> dict[str, Any]:
    """What booking/_cancel.html says about the consequence."""
    by_student = viewer.role is Role.STUDENT
    loses = rules.uses_credit(by_student, _seconds(session.start), _seconds(now))
    if loses:
        consequence = "It starts in less than 24 hours, so the session is used up."
    elif by_student:
        consequence = "Your session goes back to the pack."
    else:
        consequence = f"The session goes back to the pack of {session.student_name}."
    return {"loses": loses, "consequence": consequence}


def history(session: Listed, entries: Iterable[Any], viewer: Viewer) -> list[dict[str, Any]]:
    """What happened to a session, the oldest first, as booking/session.html takes it."""
    names = {session.student_id: session.student_name, session.mentor_id: session.mentor_name}
    names[viewer.id] = "you"
    lines = [{"at": session.booked_at, "text": f"Booked by {names[session.student_id]}"}]
    for entry in entries:
        text = _happened(entry, viewer)
        if text is not None:
            who = names.get(entry.actor_id)
            lines.append({"at": entry.at, "text": f"{text} by {who}" if who else text})
    return lines


def _happened(entry: Any, viewer: Viewer) -> str | None:
    if entry.action == "move":
        return f"Moved from {stamp(datetime.fromisoformat(entry.before['start']), viewer.time_zone)}"
    if entry.action == "propose":
        there = stamp(datetime.fromisoformat(entry.after["start"]), viewer.time_zone)
        return f"Another time was proposed, {there},"
    if entry.action == "cancel":
        return "Canceled late, the session was used," if entry.after.get("used") else "Canceled"
    if entry.action == "mark":
        words = {
            "completed": "Marked as held",
            "no_show": "Marked as no-show",
            "scheduled": "Scheduled again",
        }
        return words.get(entry.after["status"])
    if entry.action == "reverse":
        return "Taken back: the session went back to the pack,"
    if entry.action == "withdraw_dispute":
        return "The dispute was withdrawn"
    if entry.action == "dispute":
        return "Disputed"
    if entry.action == "decide_dispute" and entry.after["dispute"] == "rejected":
        return "The dispute was looked into, and the mark stays,"
    return recording_views.happened(entry)


def dispute(session: Listed, entries: Iterable[Any], viewer: Viewer, now: datetime) -> dict[str, Any] | None:
    """How a session stands that its student disputes or may dispute, as far as its history tells; None for others.

    `state`: `open`, or None where the student may still dispute it, `until` then; `href`: where that is done or answered.
    """
    state = None
    for entry in entries:
        if entry.action in ("mark", "dispute", "withdraw_dispute", "decide_dispute", "reverse"):
            state = entry.action
    href = "/admin/disputes" if viewer.role is Role.ADMIN else f"/sessions/{session.id}/dispute"
    if state == "dispute":
        return {"state": "open", "until": None, "href": href}
    marked_at = _seconds(session.completed_at) if session.completed_at else None
    until = rules.disputable_until(session.status, marked_at)
    if (
        state not in (None, "mark")
        or until is None
        or _seconds(now) > until
        or viewer.role is not Role.STUDENT
    ):
        return None
    return {"state": None, "until": datetime.fromtimestamp(until, UTC), "href": href}


def other_person(session: Listed, viewer: Viewer) -> str:
    """Whom the viewer meets, by name."""
    name: str = _with(session, viewer)["with_name"]
    return name


def _way_in(session: Listed, viewer: Viewer, now: datetime) -> dict[str, Any]:
    """Where its two people meet: `join_url` while the door is open, `join_opens_at` as long as it isn't shut for good."""
    state = door.state(session.start, session.end, now)
    theirs = viewer.id in (session.mentor_id, session.student_id)
    is_open = theirs and session.status is SessionStatus.SCHEDULED and state is door.Door.OPEN
    return {
        "join_url": f"/sessions/{session.id}/call" if is_open else None,
        "join_opens_at": None if state is door.Door.SHUT else door.opens_at(session.start),
    }


def _with(session: Listed, viewer: Viewer) -> dict[str, Any]:
    """Whom the viewer meets: the other person, for an admin both."""
    if viewer.id == session.mentor_id:
        return {"with_name": session.student_name, "with_zone": session.student_zone, "with_slug": None}
    if viewer.id == session.student_id:
        return {
            "with_name": session.mentor_name,
            "with_zone": session.mentor_zone,
            "with_slug": session.mentor_slug,
        }
    names = f"{session.student_name} and {session.mentor_name}"
    return {"with_name": names, "with_zone": None, "with_slug": None}


def _policy(session: Listed, viewer: Viewer, now: datetime, proposed: bool) -> str | None:
    if viewer.role is Role.MENTOR:
        return (
            "You can cancel it until it starts; the session then goes back to the pack of your mentee,"
            " who has at least 14 days left to use it."
        )
    if viewer.role is Role.ADMIN:
        return None
    until = session.start - FREE_CHANGE
    if now <= until:
        return (
            f"You can move or cancel it until {stamp(until, viewer.time_zone)}."
            " Canceled later, the session is used up."
        )
    if proposed:
        return (
            "It starts in less than 24 hours. Because another time is proposed to you, you can still move it;"
            " canceling it uses up the session."
        )
    return (
        "It starts in less than 24 hours: it can’t be moved any more, and canceling it uses up the session."
    )


def _actions(session: Listed, now: datetime) -> list[dict[str, Any]]:
    """What the mentor may set now, beside the two marks of a session that is to be marked."""
    match session.status:
        case SessionStatus.SCHEDULED:
            return [_KEEP] if session.conflict else []
        case SessionStatus.COMPLETED:
            return [_NO_SHOW, _UNDO]
        case SessionStatus.NO_SHOW:
            return [_COMPLETED, _UNDO]
        case SessionStatus.CANCELED:
            return [_UNDO] if now < session.start else []


def _conflict(session: Listed, zone: str) -> str | None:
    choice = f"{session.student_name} doesn’t know. Keep our time, or cancel the session."
    if session.conflict is Conflict.DELETED:
        return f"You deleted this session in Google Calendar; here it is still booked. {choice}"
    if session.conflict is Conflict.MOVED:
        there = f" to {stamp(session.conflict_start, zone)}" if session.conflict_start else ""
        return f"You moved this session in Google Calendar{there}; here it is still booked for this time. {choice}"
    return None


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
