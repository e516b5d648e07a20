"""Canceling a session: by its student, whom it costs the session late, or by its mentor, whom it never does."""

from __future__ import annotations

from uuid import UUID

from app.booking import repository, rules
from app.booking.book import now_seconds
from app.booking.events import sync_after, tell
from app.booking.facts import SessionFacts, SessionRow, facts
from app.booking.models import EventSync, SessionStatus
from app.booking.refusals import NOT_CANCELED, demand
from app.booking.transactions import decided
from app.core import audit, clock
from app.core.errors import Forbidden
from app.core.unit_of_work import Role, UnitOfWork
from app.packs import seats
from app.packs import service as packs
from app.packs.models import EntryKind


async def cancel(uow: UnitOfWork, session_id: UUID) -> SessionFacts:
    """Cancel a session for the student or mentor that `uow` is bound to, and commit.

    A student's cancellation within 24 hours of the start uses the session (`late_cancel`); a mentor's returns it and
    leaves the pack at least 14 days. Raises NotFound, Forbidden for others, BookingRefused: already_started,
    not_scheduled.
    """
    if uow.principal.role not in (Role.STUDENT, Role.MENTOR):
        raise Forbidden
    return await decided(uow, lambda: cancel_within(uow, session_id), NOT_CANCELED)


async def cancel_of_pack(uow: UnitOfWork, pack_id: UUID) -> int:
    """Cancel every session that is scheduled from a pack, within the caller's transaction, which holds the pair's locks.

    Their credit stays in the pack: whoever takes it away says so in the ledger. Returns how many there were.
    """
    found = await repository.scheduled_from(uow.session, pack_id)
    for session_id in found:
        row = await repository.find(uow.session, session_id, lock=True)
        version, sync = await _cancel(uow, row)
        await tell(uow, "session_canceled", facts(row), version=version, sync=sync, used=False)
        await audit.record(
            uow, "cancel", "sessions", row.id, {"status": row.status}, {"status": "canceled", "used": False}
        )
    return len(found)


async def _cancel(uow: UnitOfWork, row: SessionRow) -> tuple[int, EventSync]:
    version, sync = row.version + 1, sync_after(row)
    values = {
        "status": SessionStatus.CANCELED,
        "canceled_at": clock.now(),
        "canceled_by": uow.principal.role,
        "version": version,
        "event_sync": sync,
        "conflict": None,
        "conflict_start": None,
    }
    await repository.change(uow.session, row.id, values)
    return version, sync


def costs_session(uow: UnitOfWork, row: SessionRow) -> bool:
    """True if canceling now would use the session up."""
    return rules.uses_credit(uow.principal.role == Role.STUDENT, row.start_seconds, now_seconds())


async def cancel_within(uow: UnitOfWork, session_id: UUID) -> SessionFacts:
    """As `cancel`, within the caller's transaction."""
    seen = await repository.find(uow.session, session_id)
    await seats.lock_pair(uow, seen.mentor_id, seen.student_id)
    row = await repository.find(uow.session, session_id, lock=True)
    demand(rules.refusal_to_cancel(row.status, row.start_seconds, now_seconds()))
    late = costs_session(uow, row)
    version, sync = await _cancel(uow, row)
    await _account(uow, row, late)
    await tell(uow, "session_canceled", facts(row), version=version, sync=sync, used=late)
    await audit.record(
        uow, "cancel", "sessions", row.id, {"status": row.status}, {"status": "canceled", "used": late}
    )
    return facts(await repository.find(uow.session, row.id))


async def _account(uow: UnitOfWork, row: SessionRow, late: bool) -> None:
    """The credit was freed with the status; what is left is to use it, or to leave time for using it."""
    if late:
        await packs.add_entry(uow, row.pack_id, EntryKind.LATE_CANCEL, -1, session_id=row.id)
        await seats.settle(uow, row.mentor_id, row.student_id)
    elif uow.principal.role in (Role.MENTOR, Role.ADMIN):
        await packs.leave_days(uow, row.pack_id, rules.LEAVE_DAYS)
