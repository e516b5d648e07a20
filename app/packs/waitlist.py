"""The waitlist: first come, first served, until a seat is offered. Each function works in the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from app.core import audit, clock
from app.core.errors import NotFound, Refused
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.packs import repository, seats
from app.packs import waitlist_repository as places
from app.packs.models import SeatStatus, WaitlistEntry, WaitOutcome

GONE = "That place on the waitlist is gone already. Nothing was changed."


async def join(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> None:
    """Wait for a seat of the mentor. Joining twice changes nothing.

    Raises NotFound for an unknown mentor, Refused: `has_seat` for who has one, `seat_free` while one may simply be
    bought.
    """
    if await repository.seat_of(uow.session, mentor_id, student_id) is not None:
        raise Refused("has_seat", "You have a seat with this instructor already.")
    free = await repository.seats_open_to(uow.session, mentor_id, student_id)
    if free is None:
        raise NotFound("There is no such instructor.")
    if free > 0:
        raise Refused("seat_free", "A seat is free right now: you can buy a pack without waiting.")
    await places.join(uow.session, mentor_id, student_id, clock.now())
    # A seat that became free at this very moment found nobody waiting: have somebody look again.
    await uow.emit("seats/offer", {"mentor_id": mentor_id})


async def leave(
    uow: UnitOfWork, mentor_id: UUID, student_id: UUID, outcome: WaitOutcome = WaitOutcome.LEFT
) -> None:
    """Stop waiting; a seat that was offered goes to the next. Raises NotFound for who doesn't wait."""
    seat = await repository.lock_seat(uow.session, mentor_id, student_id)
    entry_id = await places.end(uow.session, mentor_id, student_id, outcome, clock.now())
    if entry_id is None:
        raise NotFound(GONE)
    if seat is None:  # it may have been offered while we waited for the entry
        seat = await repository.lock_seat(uow.session, mentor_id, student_id)
    if seat is not None and seat.status is SeatStatus.OFFERED:
        await seats.release(uow, seat)
    elif seat is not None and seat.offered_until is not None:
        await repository.change_seat(uow.session, seat.id, {"offered_until": None})
    await audit.record(uow, "leave_waitlist", "waitlist", entry_id, None, {"outcome": outcome})


async def leave_place(uow: UnitOfWork, entry_id: UUID) -> WaitlistEntry:
    """Give up an own place; returns what it was. Raises NotFound for one that is gone, or another's."""
    entry = await places.waiting(uow.session, entry_id)
    if entry is None or entry.student_id != uow.user_id:
        raise NotFound(GONE)
    await leave(uow, entry.mentor_id, entry.student_id)
    return entry


async def remove(uow: UnitOfWork, entry_id: UUID) -> WaitlistEntry:
    """Take somebody off the list, by the mentor or an admin; they are told. Returns what it was. Raises NotFound."""
    entry = await places.waiting(uow.session, entry_id)
    if entry is None or entry.student_id == uow.principal.user_id:
        raise NotFound(GONE)
    await leave(uow, entry.mentor_id, entry.student_id, WaitOutcome.REMOVED)
    await _tell_removed(uow, entry_id)
    return entry


async def end_all(uow: UnitOfWork, user_id: UUID) -> None:
    """Who has another role from now on waits for nobody, and nobody for them: those are told. Service unit of work."""
    for entry_id in await places.end_all(uow.session, user_id, clock.now()):
        await _tell_removed(uow, entry_id)


async def _tell_removed(uow: UnitOfWork, entry_id: UUID) -> None:
    await telling.tell(uow, "waitlist_removed", {"entry_id": entry_id})
