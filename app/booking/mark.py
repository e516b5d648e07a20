"""What a mentor says about a session afterwards: held, or nobody came; or that it was marked by mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.booking import meanwhile, recordings, repository, rules, slots
from app.booking.book import now_seconds
from app.booking.cancel import cancel_within
from app.booking.events import remind, sync_after, tell, was_held, write_calendar
from app.booking.facts import SessionFacts, SessionRow, facts
from app.booking.meanwhile import Seen
from app.booking.models import Conflict, EventSync, SessionStatus
from app.booking.refusals import NOT_MARKED, BookingRefused, Refusal, demand, refusal
from app.booking.transactions import decided
from app.core import audit, clock
from app.core.errors import Forbidden
from app.core.unit_of_work import Role, UnitOfWork
from app.packs import seats
from app.packs import service as packs
from app.packs.models import EntryKind, PackStatus, SeatStatus

_ENTRIES = {
    SessionStatus.COMPLETED: EntryKind.COMPLETE,
    SessionStatus.NO_SHOW: EntryKind.NO_SHOW,
}
_CANNOT_UNDO = {
    "slot_taken": "The time is taken by another session now.",
    "own_session": "The student has another session then.",
    "no_credit": "The pack has no session left for it.",
}


async def edit(
    uow: UnitOfWork,
    session_id: UUID,
    *,
    status: SessionStatus | None = None,
    details: Mapping[str, str | None] | None = None,
    seen: Seen | None = None,
) -> SessionFacts:
    """Change a session for its mentor or an admin, to whom `uow` is bound, all of it or nothing, and commit.

    `status`: `completed` and `no_show` use the session, `canceled` cancels it, `scheduled` undoes whatever was marked,
    or, where the mentor changed our event in Google, keeps our time. The status it has already changes nothing.
    `details`: checked `notes` and `recording_url` (https, or None). `seen`: what the editor had before them; what
    somebody changed since isn't overwritten. Raises NotFound, Forbidden for anybody else, ChangedMeanwhile,
    BookingRefused: not_started, not_scheduled, already_started, cannot_undo, no_recording_consent.
    """
    if uow.principal.role not in (Role.MENTOR, Role.ADMIN):
        raise Forbidden
    try:
        return await decided(
            uow, lambda: _edit(uow, session_id, status, details or {}, seen or {}), NOT_MARKED
        )
    except BookingRefused as error:
        why = _CANNOT_UNDO.get(error.code)
        if why is None:
            raise
        raise BookingRefused(refusal("cannot_undo", NOT_MARKED, why=why)) from error


async def mark(
    uow: UnitOfWork, session_id: UUID, status: SessionStatus, *, seen: Seen | None = None
) -> SessionFacts:
    """`edit` of the status alone."""
    return await edit(uow, session_id, status=status, seen=seen)


async def _edit(
    uow: UnitOfWork,
    session_id: UUID,
    status: SessionStatus | None,
    details: Mapping[str, str | None],
    seen: Seen,
) -> SessionFacts:
    row = await _locked(uow, session_id, with_pair=status is not None)
    await meanwhile.check(uow, row, status, details, seen)
    await recordings.check(uow, row, details)
    found = facts(row)
    if status is SessionStatus.CANCELED and row.status is not status:
        found = await cancel_within(uow, session_id)
    elif status is not None and status is not SessionStatus.CANCELED:
        found = await change_status(uow, session_id, status)
    changed = {field: value for field, value in details.items() if getattr(row, field) != value}
    if changed:
        kept = recordings.kept_until(changed)
        await repository.change(uow.session, session_id, {**changed, **kept})
        await meanwhile.record_edit(uow, row, changed)
        await recordings.follow(uow, session_id, kept.get("recording_expires_at"))
    return found


async def _locked(uow: UnitOfWork, session_id: UUID, *, with_pair: bool) -> SessionRow:
    """The session, locked; before it, for a change of status, everything that such a change locks."""
    if with_pair:
        seen = await repository.find(uow.session, session_id)
        await repository.queue_up(uow.session, seen.mentor_id, seen.student_id)
        await seats.lock_pair(uow, seen.mentor_id, seen.student_id)
    return await repository.find(uow.session, session_id, lock=True)


async def change_status(
    uow: UnitOfWork, session_id: UUID, status: SessionStatus, *, told: str | None = None
) -> SessionFacts:
    """As `edit`, within the caller's transaction and whoever asks. `told`: another kind of notification."""
    seen = await repository.find(uow.session, session_id)
    await repository.queue_up(uow.session, seen.mentor_id, seen.student_id)
    pair = await seats.lock_pair(uow, seen.mentor_id, seen.student_id)
    row = await repository.find(uow.session, session_id, lock=True)
    if row.status is status:
        if row.conflict is not None:
            await _keep_our_time(uow, row)
        return facts(row)
    step = rules.mark(row.status, status, row.start_seconds, now_seconds())
    if isinstance(step, Refusal):
        raise BookingRefused(step)
    if status is SessionStatus.SCHEDULED:
        await _check_undo(uow, row, pair)
        await _undo(uow, row)
    else:
        await _spend(uow, row, status, step, told)
    await audit.record(uow, "mark", "sessions", row.id, {"status": row.status}, {"status": status})
    return facts(await repository.find(uow.session, row.id))


async def _spend(
    uow: UnitOfWork, row: SessionRow, status: SessionStatus, step: rules.Mark, told: str | None
) -> None:
    """The session counts as used. It stops being scheduled before its credit goes."""
    version = row.version + 1
    values = {"status": status, "completed_at": clock.now(), "version": version, "conflict": None}
    await repository.change(uow.session, row.id, values)
    if step.reverse:
        await _give_back(uow, row)
    await packs.add_entry(uow, row.pack_id, _ENTRIES[status], -1, session_id=row.id)
    await seats.settle(uow, row.mentor_id, row.student_id)
    kind = told or f"session_{status}"
    await tell(uow, kind, facts(row), version=version, sync=EventSync.NONE)
    if status is SessionStatus.COMPLETED:
        await was_held(uow, row, version)


async def _give_back(uow: UnitOfWork, row: SessionRow) -> None:
    pack_id = await repository.spent(uow.session, row.id)
    if pack_id is not None:
        await packs.add_entry(uow, pack_id, EntryKind.REVERSAL, 1, session_id=row.id)


async def _check_undo(uow: UnitOfWork, row: SessionRow, pair: seats.Pair) -> None:
    """Free time as far as the mentor's calendar tells; sessions and credit are the constraints' business."""
    pack = next(pack for pack in pair.packs if pack.id == row.pack_id)
    if pack.status in (PackStatus.EXPIRED, PackStatus.REFUNDED):
        demand(refusal("cannot_undo", NOT_MARKED, why="The pack it was booked from has ended."))
    if row.status is not SessionStatus.CANCELED:
        return
    found = await repository.situation(uow, row.mentor_id, None, row.scheduled_at, row.ends_at)
    since, until = slots.blocked_range(found.mentor.rules, row.start_seconds)
    if any(start < until and end > since for start, end in found.busy):
        demand(refusal("cannot_undo", NOT_MARKED, why="Your calendar is busy then."))


async def _undo(uow: UnitOfWork, row: SessionRow) -> None:
    """Back to scheduled, credit first. A canceled session's event is gone for good: the next one has another id."""
    await _give_back(uow, row)
    version = row.version + 1
    values: dict[str, Any] = {
        "status": SessionStatus.SCHEDULED,
        "completed_at": None,
        "canceled_at": None,
        "canceled_by": None,
        "version": version,
        "start_version": version,
    }
    was_canceled = row.status is SessionStatus.CANCELED
    sync = sync_after(row) if was_canceled else EventSync.NONE
    if was_canceled:
        values |= {"event_sync": sync, "event_generation": row.event_generation + 1}
    await repository.change(uow.session, row.id, values)
    seat = await seats.settle(uow, row.mentor_id, row.student_id)
    if was_canceled:
        await tell(uow, "session_booked", facts(row), version=version, sync=sync)
    await remind(uow, facts(row), version)
    if seat is not SeatStatus.ACTIVE:
        await audit.record(uow, "undo_without_seat", "sessions", row.id, None, {"seat": seat})


async def _keep_our_time(uow: UnitOfWork, row: SessionRow) -> None:
    """The mentor decided for our time: the event is written anew, under another id where the old one was deleted."""
    deleted = row.conflict is Conflict.DELETED
    values = {
        "conflict": None,
        "conflict_start": None,
        "version": row.version + 1,
        "event_sync": EventSync.PENDING,
        "event_generation": row.event_generation + (1 if deleted else 0),
    }
    await repository.change(uow.session, row.id, values)
    await write_calendar(uow, row.id, row.version + 1)
    await audit.record(uow, "keep_time", "sessions", row.id, {"conflict": row.conflict}, None)
