"""What an admin gives or takes without a checkout: a pack, a seat. Each function works in the caller's transaction."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from app.core import audit
from app.core.errors import Invalid, NotFound, Refused
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.packs import repository, seats
from app.packs import service as packs
from app.packs.adjusting import MOST, demand_both, reason_of
from app.packs.models import SeatReservation, SeatStatus

LONGEST_DAYS: Final = 365
HAS_SEAT: Final = "They have a seat with this instructor already. Nothing was changed."
_KEPT: Final = {
    SeatStatus.OFFERED: (
        "seat_offered",
        "This seat is only offered. Taking the student off the waitlist ends the offer. Nothing was changed.",
    ),
    SeatStatus.HELD: (
        "seat_held",
        "The student is at the checkout just now; unpaid, the seat frees itself. Nothing was changed.",
    ),
}


async def grant_pack(
    uow: UnitOfWork, mentor_id: UUID, student_id: UUID, *, sessions: int, days: int, reason: str, key: str
) -> bool:
    """Give a student a pack without payment, valid for `days` from now; both are told.

    `key`: of the form that asked; posting it twice gives one pack, and False. Raises NotFound, Invalid (`sessions`,
    `days`, `reason`), Refused: `nobody_there`, `sold_out`.
    """
    words = reason_of(reason)
    errors = {}
    if not 1 <= sessions <= MOST:
        errors["sessions"] = f"From 1 to {MOST} sessions."
    if not 1 <= days <= LONGEST_DAYS:
        errors["days"] = f"From 1 to {LONGEST_DAYS} days."
    if errors:
        raise Invalid(errors)
    await seats.lock_mentor(uow, mentor_id)
    await demand_both(uow, mentor_id, student_id)
    if await repository.pack_by_key(uow.session, key) is not None:
        return False
    pack_id = await packs.grant(
        uow,
        mentor_id=mentor_id,
        student_id=student_id,
        sessions=sessions,
        validity_days=days,
        reason=words,
        import_key=key,
    )
    after = {"total_sessions": sessions, "student_id": str(student_id), "mentor_id": str(mentor_id)}
    await audit.record(uow, "grant_pack", "session_packs", pack_id, None, after)
    return True


async def grant_seat(uow: UnitOfWork, mentor_id: UUID, student_id: UUID, *, reason: str) -> None:
    """Give a student a seat, in front of who waits; their own waiting ends, an offer or a grace becomes a seat.

    It stays until it is released or its sessions are used up; both are told. Raises NotFound, Invalid (`reason`),
    Refused: `has_seat`, `nobody_there`, `sold_out`.
    """
    words = reason_of(reason)
    await seats.lock_mentor(uow, mentor_id)
    await demand_both(uow, mentor_id, student_id)
    before = await repository.lock_seat(uow.session, mentor_id, student_id)
    if before is not None and before.status is SeatStatus.ACTIVE:
        raise Refused("has_seat", HAS_SEAT)
    was = before.status if before else None
    await seats.take(uow, mentor_id, student_id)
    seat = await repository.lock_seat(uow.session, mentor_id, student_id)
    if seat is None:
        raise NotFound
    await _noted(uow, "grant_seat", "seat_granted", seat, was, words)


async def release_seat(uow: UnitOfWork, seat_id: UUID, *, reason: str, seen: SeatStatus) -> None:
    """Take a student's seat away; it goes to who has waited longest. Sessions that are left stay in their packs.

    They can be booked again once the student has a seat again. `seen`: the status that the admin saw. Raises NotFound, Invalid (`reason`), Refused: `seat_changed`, `seat_offered`, `seat_held`,
    `has_sessions` while some are booked.
    """
    words = reason_of(reason)
    found = await repository.seat_by_id(uow.session, seat_id)
    if found is None:
        raise NotFound
    await seats.lock_mentor(uow, found.mentor_id)
    pair = await seats.lock_pair(uow, found.mentor_id, found.student_id)
    seat = pair.seat
    if seat is None or seat.id != seat_id or seat.status is not seen:
        now = seat.status if seat and seat.id == seat_id else SeatStatus.RELEASED
        raise Refused("seat_changed", f"The seat is {now} by now. Nothing was changed; look at it again.")
    if seat.status in _KEPT:
        raise Refused(*_KEPT[seat.status])
    if any(pack.scheduled_sessions for pack in pair.packs):
        said = "Sessions are booked with this seat. Cancel them first. Nothing was changed."
        raise Refused("has_sessions", said)
    await seats.release(uow, seat)
    await _noted(uow, "release_seat", "seat_taken", seat, seen, words, now=SeatStatus.RELEASED)


async def _noted(
    uow: UnitOfWork,
    action: str,
    kind: str,
    seat: SeatReservation,
    was: SeatStatus | None,
    reason: str,
    *,
    now: SeatStatus = SeatStatus.ACTIVE,
) -> None:
    """The audit log, and a mail to both; a seat can be given and taken more than once, so the event has no key."""
    before = {"status": was} if was else None
    await audit.record(uow, action, "seat_reservations", seat.id, before, {"status": now, "reason": reason})
    await telling.tell(uow, kind, {"seat_id": seat.id})
