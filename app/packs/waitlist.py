"""The waitlist: first come, first served, until a seat is offered. Each function works in the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from app.core import audit, clock
from app.core.errors import NotFound, Refused
from app.core.unit_of_work import UnitOfWork
from app.packs import repository, seats
from app.packs.models import SeatStatus, WaitOutcome


async def join(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> None:
    """Wait for a seat of the mentor. Joining twice changes nothing.

    Raises Refused: `has_seat` for who has one, `seat_free` while one may simply be bought.
    """
    if await repository.seat_of(uow.session, mentor_id, student_id) is not None:
        raise Refused("has_seat", "You have a seat with this instructor already.")
    if await repository.seats_open_to(uow.session, mentor_id, student_id) > 0:
        raise Refused("seat_free", "A seat is free right now: you can buy a pack without waiting.")
    await repository.join_waitlist(uow.session, mentor_id, student_id, clock.now())


async def leave(
    uow: UnitOfWork, mentor_id: UUID, student_id: UUID, outcome: WaitOutcome = WaitOutcome.LEFT
) -> None:
    """Stop waiting; a seat that was offered goes to the next. Raises NotFound for who doesn't wait."""
    seat = await repository.lock_seat(uow.session, mentor_id, student_id)
    entry_id = await repository.end_waiting(uow.session, mentor_id, student_id, outcome, clock.now())
    if entry_id is None:
        raise NotFound("Nobody waits here under that name. Nothing was changed.")
    if seat is not None and seat.status is SeatStatus.OFFERED:
        await seats.release(uow, seat)
    elif seat is not None and seat.offered_until is not None:
        await repository.change_seat(uow.session, seat.id, {"offered_until": None})
    await audit.record(uow, "leave_waitlist", "waitlist", entry_id, None, {"outcome": outcome})


async def remove(uow: UnitOfWork, entry_id: UUID) -> None:
    """Take somebody off the list, by the mentor or an admin; they are told. Raises NotFound."""
    entry = await repository.waiting(uow.session, entry_id)
    if entry is None:
        raise NotFound("That place on the waitlist is gone already. Nothing was changed.")
    await leave(uow, entry.mentor_id, entry.student_id, WaitOutcome.REMOVED)
    await uow.emit(
        "notification/send",
        {"kind": "waitlist_removed", "entry_id": entry_id},
        key=f"waitlist_removed:{entry_id}",
    )
