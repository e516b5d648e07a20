"""Taking a mark back for good, because its student was right to dispute it: the session counts as canceled by then.

Its credit returns to the pack it was spent from as with a mentor's cancellation. An undo (`booking.mark`) is something
else: there the session is to be held, or marked, after all.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from app.booking import repository, rules
from app.booking.events import was_reversed
from app.booking.facts import SessionRow
from app.booking.models import SessionStatus
from app.booking.refusals import NOT_MARKED, demand, refusal
from app.core import audit, clock
from app.core.unit_of_work import UnitOfWork
from app.packs import repository as packs_repository
from app.packs import seats
from app.packs import service as packs
from app.packs.models import EntryKind, PackStatus, SessionPack

_HELD: Final = (SessionStatus.COMPLETED, SessionStatus.NO_SHOW)


async def lock(uow: UnitOfWork, session_id: UUID) -> tuple[SessionRow, SessionPack]:
    """The session and its pack with everything that `reverse` changes, locked in the one order. Raises NotFound."""
    seen = await repository.find(uow.session, session_id)
    await repository.queue_up(uow.session, seen.mentor_id, seen.student_id)
    pair = await seats.lock_pair(uow, seen.mentor_id, seen.student_id)
    row = await repository.find(uow.session, session_id, lock=True)
    return row, next(pack for pack in pair.packs if pack.id == row.pack_id)


async def reverse(uow: UnitOfWork, row: SessionRow, pack: SessionPack) -> None:
    """Cancel a locked session that is marked as completed or no-show, in the caller's transaction, who tells of it.

    The pack has at least 14 days left then. One that had expired meanwhile can be used again, for this session alone;
    a seat that was given up meanwhile is taken anew by a job, if one is free. Raises BookingRefused: not_marked,
    pack_refunded (there is nothing left to give it back to; who refunds decides about it).
    """
    if row.status not in _HELD:
        demand(refusal("not_marked", NOT_MARKED))
    if pack.status is PackStatus.REFUNDED:
        demand(refusal("pack_refunded", NOT_MARKED))
    values = {
        "status": SessionStatus.CANCELED,
        "completed_at": None,
        "canceled_at": clock.now(),
        "canceled_by": uow.principal.role,
        "version": row.version + 1,
    }
    await repository.change(uow.session, row.id, values)
    await _give_back(uow, row, pack)
    await audit.record(
        uow, "reverse", "sessions", row.id, {"status": row.status}, {"status": SessionStatus.CANCELED}
    )


async def _give_back(uow: UnitOfWork, row: SessionRow, pack: SessionPack) -> None:
    """The credit, time to use it, and a seat that allows it."""
    if await repository.spent(uow.session, row.id) is None:
        return
    if pack.status is PackStatus.EXPIRED:  # the entry that follows makes it active
        await packs_repository.change_pack(uow.session, pack.id, {"status": PackStatus.DEPLETED})
    await packs.add_entry(uow, pack.id, EntryKind.REVERSAL, 1, session_id=row.id)
    await packs.leave_days(uow, pack.id, rules.LEAVE_DAYS)
    if await seats.settle(uow, row.mentor_id, row.student_id) is None:
        await was_reversed(uow, row)


async def seat_again(uow: UnitOfWork, session_id: UUID) -> None:
    """Take a seat for the pair of a reversed session, if they have none; service unit of work, caller's transaction.

    Where none is free the audit log says so, and the studio decides. Twice is as once.
    """
    row = await repository.find(uow.session, session_id)
    if row.status is not SessionStatus.CANCELED:
        return
    if not await packs.seat_again(uow, row.mentor_id, row.student_id):
        await audit.record(uow, "undo_without_seat", "sessions", row.id, None, {"seat": None})
