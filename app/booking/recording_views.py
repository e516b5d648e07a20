"""What pages say about a session's recording: who agrees, what is still missing, until when the link is kept. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from app.booking.lists import Listed
from app.booking.models import SessionStatus
from app.booking.recordings import Agreed, agreed_of, missing
from app.core.unit_of_work import Role
from app.core.web import Viewer

_HAPPENED: Final = {
    "agree_to_recording": "Consent to a recording given",
    "refuse_recording": "Consent to a recording taken back",
    "expire_recording": "The link to the recording was removed, its time was over",
}


def agreed(session: Listed) -> Agreed:
    """Who of the two agrees."""
    return agreed_of(session.mentor_id, session.student_id, session.agreed)


def link(session: Listed, now: datetime) -> dict[str, Any]:
    """The link as it is shown: not after its time, even if nobody has removed it yet."""
    until = session.recording_expires_at
    shown = until is not None and now < until
    return {
        "recording_url": session.recording_url if shown else None,
        "recording_until": until if shown else None,
    }


def consent(session: Listed, viewer: Viewer, back: str) -> dict[str, Any] | None:
    """What the two are asked, as booking/_recording_consent.html takes it; None for others, and where nothing can be
    agreed to or taken back. `back`: where the form leads without HTMX."""
    found = agreed(session)
    own = {session.mentor_id: found.mentor, session.student_id: found.student}
    can_agree = session.status is not SessionStatus.CANCELED
    if viewer.id not in own or not (can_agree or own[viewer.id]):
        return None
    is_mentor = viewer.id == session.mentor_id
    return {
        "session_id": session.id,
        "mine": own[viewer.id],
        "both": found.both,
        "is_mentor": is_mentor,
        "has_link": session.recording_url is not None,
        "sentence": _sentence(found, session.student_name if is_mentor else session.mentor_name, is_mentor),
        "can_agree": can_agree,
        "back": back,
    }


def keeping(session: Listed, viewer: Viewer) -> dict[str, Any]:
    """What whoever keeps the link is told beside its field: `missing`, whose consent, and until when it is kept."""
    own = viewer.id == session.mentor_id
    found = agreed(session)
    return {
        "may": found.both,
        "missing": missing(found, student=session.student_name, mentor=None if own else session.mentor_name),
        "ask_self": own and not found.mentor,
        "ask_student": not found.student,
        "until": session.recording_expires_at,
        "is_own": own and viewer.role is Role.MENTOR,
    }


def happened(entry: Any) -> str | None:
    """What an entry of the audit log says about recordings, None for one about something else."""
    return _HAPPENED.get(entry.action)


def _sentence(found: Agreed, other: str, is_mentor: bool) -> str:
    mine, theirs = (found.mentor, found.student) if is_mentor else (found.student, found.mentor)
    if mine and theirs:
        return f"You and {other} have both agreed."
    if mine:
        return f"You have agreed; {other} hasn’t yet."
    if theirs:
        return f"{other} has agreed; you haven’t yet."
    return f"Neither you nor {other} has agreed yet."
