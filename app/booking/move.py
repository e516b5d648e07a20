"""Moving a session to another time: the student's right, until 24 hours before its start or while asked to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from app.booking import idempotency, proposals_repository, repository, rules
from app.booking.book import admit, live_windows, now_seconds, times
from app.booking.events import remind, tell
from app.booking.facts import SessionFacts, SessionRow, facts
from app.booking.idempotency import Idempotency
from app.booking.models import EventSync, SessionStatus
from app.booking.refusals import NOT_MOVED, BookingRefused, demand, refusal
from app.booking.situation import MentorView, PackView, Situation
from app.booking.slots import Span
from app.booking.transactions import decided
from app.calendars.google import Google
from app.core import audit
from app.core.db import Database
from app.core.errors import Forbidden
from app.core.templating import iso
from app.core.unit_of_work import Role, UnitOfWork
from app.packs import seats

ONLY_STUDENTS = (
    "Only students move sessions. Cancel it, or propose another time to your mentee. Nothing was changed."
)


@dataclass(frozen=True)
class _Wish:
    session_id: UUID
    start: datetime
    idempotency: Idempotency | None
    proposal_id: UUID | None

    @property
    def body(self) -> str:
        return f"{self.session_id} {self.start.isoformat()}"


async def reschedule(
    uow: UnitOfWork,
    database: Database,
    google: Google,
    *,
    session_id: UUID,
    start: datetime,
    idempotency: Idempotency | None = None,
    proposal_id: UUID | None = None,
) -> SessionFacts:
    """Move a session of the student that `uow` is bound to, to `start` (UTC), and commit.

    While its mentor proposes another time it may be moved until it starts; `proposal_id`: only while that proposal is
    open. Which pack pays is chosen again. A session that starts then already is answered as it is. Raises NotFound,
    Forbidden for anybody but a student, BookingRefused, Unavailable("calendar_unavailable"); nothing is changed then.
    """
    if uow.principal.role != Role.STUDENT:
        raise Forbidden(ONLY_STUDENTS)
    wish = _Wish(session_id, start.astimezone(UTC), idempotency, proposal_id)
    row = await repository.find(uow.session, session_id)
    earlier = await _earlier(uow, wish, row)
    if earlier is not None:
        return earlier
    situation = await _situation(uow, wish, row)
    try:
        await _admit(uow, wish, row, situation)
    except BookingRefused:
        # Another click may have moved it there since the first look.
        earlier = await _earlier(uow, wish, await repository.find(uow.session, session_id))
        if earlier is None:
            raise
        return earlier
    live = await live_windows(uow, database, google, situation.mentor, wish.start)
    return await decided(uow, lambda: _write(uow, wish, row.mentor_id, live), NOT_MOVED)


async def _earlier(uow: UnitOfWork, wish: _Wish, row: SessionRow) -> SessionFacts | None:
    if wish.idempotency is not None:
        answer = await idempotency.earlier_answer(uow, wish.idempotency, wish.body)
        if answer is not None:
            return msgspec.convert(answer, SessionFacts)
    same = row.status is SessionStatus.SCHEDULED and row.scheduled_at == wish.start
    return facts(row) if same else None


async def _situation(uow: UnitOfWork, wish: _Wish, row: SessionRow) -> Situation:
    """As a booking would find it, with the session's own time and credit free. Its old time lies in the window."""
    since, until = sorted((wish.start, row.scheduled_at))
    found = await repository.situation(uow, row.mentor_id, uow.user_id, since, until)
    return found.with_moving(row.id)


async def _admit(
    uow: UnitOfWork, wish: _Wish, row: SessionRow, situation: Situation, live: Sequence[Span] = ()
) -> PackView:
    """The pack that pays at the new time. Raises BookingRefused."""
    proposal = await proposals_repository.answerable(uow.session, row.id)
    if wish.proposal_id is not None and proposal != wish.proposal_id:
        demand(refusal("proposal_closed", NOT_MOVED))
    proposed = proposal is not None
    demand(rules.refusal_to_move(row.status, row.start_seconds, now_seconds(), proposed=proposed))
    return admit(situation, wish.start, NOT_MOVED, live)


async def _write(uow: UnitOfWork, wish: _Wish, mentor_id: UUID, live: Sequence[Span]) -> SessionFacts:
    """Everything that a move changes, behind the locks."""
    await repository.queue_up(uow.session, mentor_id, uow.user_id)
    await seats.lock_pair(uow, mentor_id, uow.user_id)
    row = await repository.find(uow.session, wish.session_id, lock=True)
    earlier = await _earlier(uow, wish, row)
    if earlier is not None:
        return earlier
    situation = await _situation(uow, wish, row)
    pack = await _admit(uow, wish, row, situation, live)
    moved = await _update(uow, row, situation.mentor, wish.start, pack.id)
    if wish.idempotency is not None:
        await idempotency.remember(uow, wish.idempotency, wish.body, msgspec.to_builtins(moved))
    return moved


async def _update(
    uow: UnitOfWork, row: SessionRow, mentor: MentorView, start: datetime, pack_id: UUID
) -> SessionFacts:
    version = row.version + 1
    sync = EventSync.NONE if mentor.calendar is None else EventSync.PENDING
    values = {
        **times(mentor, start),
        "pack_id": pack_id,
        "version": version,
        "start_version": version,
        "event_sync": sync,
        "conflict": None,
        "conflict_start": None,
    }
    await repository.change(uow.session, row.id, values)
    moved = msgspec.structs.replace(facts(row), start=start, end=values["ends_at"], pack_id=pack_id)
    await tell(uow, "session_moved", moved, version=version, sync=sync, before=row.scheduled_at)
    await remind(uow, moved, version)
    times_changed = {"start": iso(row.scheduled_at)}, {"start": iso(start)}
    await audit.record(uow, "move", "sessions", row.id, *times_changed)
    return moved
