"""The link to a session's recording: kept only while both people agree, and for 30 days.

Each agrees for themselves and takes it back at any time; what both say together is counted by a trigger, which takes
the link away as soon as one of them doesn't agree any more. A link of its own time has its own warnings and its own
event that removes it: those of an earlier one find that it is gone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from app.accounts.themselves import require_themselves
from app.booking import repository
from app.booking.facts import SessionRow
from app.booking.models import RecordingConsent, Session, SessionStatus
from app.booking.refusals import NOT_KEPT, NOT_MARKED, BookingRefused, refusal
from app.core import audit, clock
from app.core.errors import Forbidden
from app.core.templating import iso
from app.core.unit_of_work import Role, UnitOfWork
from app.notifications import telling
from app.notifications.kinds import Anchor

LIFE: Final = timedelta(days=30)
"""How long a link is kept, from when it was set."""
EXPIRE: Final = "recording/expire"
CHANNEL: Final = "calls"
"""Where every web process hears of rooms: `{"session": id, "kind": "consent"}` when somebody agreed or took it back."""
_NOTIFY = sa.text("select pg_notify(:channel, :payload)")
_REMOVED: Final = {"recording_url": "removed"}


class Agreed(msgspec.Struct, frozen=True):
    """Who of a session's two people agrees to a recording."""

    mentor: bool
    student: bool

    @property
    def both(self) -> bool:
        """True where a link may be kept."""
        return self.mentor and self.student


def agreed_of(mentor_id: UUID, student_id: UUID, people: Collection[UUID]) -> Agreed:
    """What `people`, who agree, say of a session of the two."""
    return Agreed(mentor=mentor_id in people, student=student_id in people)


async def agreed(uow: UnitOfWork, session_id: UUID) -> Agreed:
    """Who agrees, of a session that the asker may see; nobody of one that they may not."""
    query = (
        sa.select(
            RecordingConsent.user_id == Session.mentor_id, RecordingConsent.user_id == Session.student_id
        )
        .join(Session, Session.id == RecordingConsent.session_id)
        .where(RecordingConsent.session_id == session_id)
    )
    said = (await uow.session.execute(query)).all()
    return Agreed(mentor=any(row[0] for row in said), student=any(row[1] for row in said))


async def decide(uow: UnitOfWork, session_id: UUID, *, agrees: bool) -> bool:
    """The one to whom `uow` is bound agrees that a session of theirs is recorded, or takes that back, and commit.

    Taken back, a link is gone at once. What they said before already changes nothing. True if that took a link away.
    Raises NotFound, Forbidden for everybody but the two, and for an admin who is signed in as one of them;
    BookingRefused: not_scheduled, to agree to one that was canceled.
    """
    require_themselves(uow.principal)
    async with uow.transaction():
        row = await repository.find(uow.session, session_id, lock=True)
        if uow.user_id not in (row.mentor_id, row.student_id):
            raise Forbidden
        changed = await (_agree if agrees else _take_back)(uow, row)
        if changed:
            await _announce(uow, session_id)
    return changed and not agrees and row.recording_url is not None


async def _agree(uow: UnitOfWork, row: SessionRow) -> bool:
    if row.status is SessionStatus.CANCELED:
        why = "It was canceled: there is nothing to record."
        raise BookingRefused(refusal("not_scheduled", NOT_MARKED, why=why))
    values = {"session_id": row.id, "user_id": uow.user_id, "agreed_at": clock.now()}
    added = postgresql.insert(RecordingConsent).values(**values).on_conflict_do_nothing()
    if (await uow.session.execute(added.returning(RecordingConsent.user_id))).first() is None:
        return False
    await audit.record(uow, "agree_to_recording", "sessions", row.id)
    return True


async def _take_back(uow: UnitOfWork, row: SessionRow) -> bool:
    mine = RecordingConsent.session_id == row.id, RecordingConsent.user_id == uow.user_id
    taken = sa.delete(RecordingConsent).where(*mine).returning(RecordingConsent.user_id)
    if (await uow.session.execute(taken)).first() is None:
        return False
    await audit.record(
        uow, "refuse_recording", "sessions", row.id, None, _REMOVED if row.recording_url else None
    )
    return True


async def _announce(uow: UnitOfWork, session_id: UUID) -> None:
    """Whoever is in the room hears of it after the commit."""
    payload = json.dumps({"session": str(session_id), "kind": "consent"})
    await uow.session.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})


async def check(uow: UnitOfWork, row: SessionRow, details: Mapping[str, str | None]) -> None:
    """A new link needs both people's consent; `row` is locked. Raises BookingRefused: no_recording_consent."""
    link = details.get("recording_url")
    if link is None or link == row.recording_url or row.recording_consent:
        return
    found = await agreed(uow, row.id)
    if uow.principal.role == Role.MENTOR:
        why = missing(found, student="Your mentee", mentor=None)
    else:
        why = missing(found, student="The student", mentor="The mentor")
    raise BookingRefused(refusal("no_recording_consent", NOT_KEPT, why=why or ""))


def missing(found: Agreed, *, student: str, mentor: str | None) -> str | None:
    """Whose consent is missing, as a sentence; None where both agree. `mentor` None: its reader is the mentor."""
    if found.both:
        return None
    if not (found.mentor or found.student):
        return f"Neither of {'you' if mentor is None else 'the two'} has agreed to a recording yet."
    who = f"{student} hasn’t" if found.mentor else f"{mentor} hasn’t" if mentor else "You haven’t"
    return f"{who} agreed to a recording yet."


def kept_until(changed: Mapping[str, str | None]) -> dict[str, Any]:
    """What a change of the link sets beside it: a new one lives for 30 days from now, to the second."""
    if "recording_url" not in changed:
        return {}
    until = (clock.now() + LIFE).replace(microsecond=0)
    return {"recording_expires_at": until if changed["recording_url"] else None}


async def follow(uow: UnitOfWork, session_id: UUID, expires_at: datetime | None) -> None:
    """A new link is kept until `expires_at`: the student hears of it, both are warned before it goes, and it goes then."""
    if expires_at is None:
        return
    payload = {"session_id": session_id, "expires_at": iso(expires_at)}
    await telling.tell(uow, "recording_ready", payload)
    await telling.schedule(uow, Anchor.RECORDING, expires_at, {"session_id": session_id})
    await uow.emit(EXPIRE, payload, at=expires_at)


async def expire(uow: UnitOfWork, session_id: UUID, expires_at: datetime) -> None:
    """The link that is kept until `expires_at` goes; a newer one stays. Service unit of work; safe to repeat."""
    this = Session.id == session_id, Session.recording_expires_at == expires_at
    removed = sa.update(Session).where(*this).values(recording_url=None, recording_expires_at=None)
    if (await uow.session.execute(removed.returning(Session.id))).first() is not None:
        await audit.record(uow, "expire_recording", "sessions", session_id, None, _REMOVED)
