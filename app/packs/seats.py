"""Seats: a student's scarce place with a mentor, taken, held, kept, released and offered to who waits.

Each function works in the caller's transaction. Whoever may need a new seat locks the mentor's row first, so that
capacity holds; the database counts again (trigger `guard_capacity`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core import clock
from app.core.errors import NotFound, Refused
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.notifications.kinds import Anchor
from app.packs import expiry, repository, rules, waitlist_repository
from app.packs.models import SeatReservation, SeatStatus, SessionPack, WaitOutcome
from app.packs.terms import terms

ROLE = "discord/role"
SOLD_OUT = "All seats of this instructor are taken. Join the waitlist to hear when one is free."


@dataclass(frozen=True)
class Pair:
    """A student's seat and packs with one mentor, locked until the transaction ends."""

    seat: SeatReservation | None
    packs: Sequence[SessionPack]


async def lock_pair(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> Pair:
    """Lock the pair's live seat, then its packs by id (the one order of locks)."""
    seat = await repository.lock_seat(uow.session, mentor_id, student_id)
    packs = await repository.lock_packs(uow.session, mentor_id, student_id)
    return Pair(seat, packs)


async def lock_mentor(uow: UnitOfWork, mentor_id: UUID) -> int:
    """Lock the mentor's row, first of all locks; returns the number of seats. Raises NotFound."""
    capacity = await repository.lock_mentor(uow.session, mentor_id)
    if capacity is None:
        raise NotFound
    return capacity


async def take(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> None:
    """Make the pair's seat active, taking a new one if it has none; who waited for it waits no longer.

    Raises NotFound for an unknown mentor, Refused("sold_out") where no seat is free.
    """
    capacity = await lock_mentor(uow, mentor_id)
    seat = await repository.lock_seat(uow.session, mentor_id, student_id)
    if seat is not None:
        if seat.status is not SeatStatus.ACTIVE:
            await _change(uow, seat, SeatStatus.ACTIVE)
        elif seat.held_until is not None:
            await _end_hold(uow, seat)
    elif await repository.seats_in_use(uow.session, mentor_id) >= capacity:
        raise Refused("sold_out", SOLD_OUT)
    else:
        await _add(uow, mentor_id, student_id, SeatStatus.ACTIVE)
    await waitlist_repository.end(uow.session, mentor_id, student_id, WaitOutcome.SEATED, clock.now())


async def hold(uow: UnitOfWork, mentor_id: UUID, student_id: UUID, until: datetime) -> None:
    """Keep a seat for the student while they are paying, or the one they have; `until` is business time.

    An offered seat is held and goes back to the offer; one in grace outlives its end until `until`, once; an active one
    outlives the expiry of its packs. A free one, or one whose grace is over and which nobody has come to release yet,
    is only for who has nobody in front on the waitlist. Raises NotFound, Refused("sold_out").
    """
    await lock_mentor(uow, mentor_id)
    seat = await repository.lock_seat(uow.session, mentor_id, student_id)
    if seat is None:
        if (await repository.seats_open_to(uow.session, mentor_id, student_id) or 0) < 1:
            raise Refused("sold_out", SOLD_OUT)
        await _add(uow, mentor_id, student_id, SeatStatus.HELD, until)
    elif seat.status in (SeatStatus.OFFERED, SeatStatus.HELD):
        offered = seat.seat_expires_at if seat.status is SeatStatus.OFFERED else seat.offered_until
        await _change(uow, seat, SeatStatus.HELD, until, offered_until=offered)
    elif seat.status is SeatStatus.GRACE and (clock.now() < _instant(seat.seat_expires_at) or _is_over(seat)):
        if _is_over(seat):
            await _demand_nobody_waits(uow, seat)
        await repository.change_seat(uow.session, seat.id, {"held_until": until})
        await _wake(uow, seat.id, until)
    elif seat.status is SeatStatus.ACTIVE:
        await repository.change_seat(uow.session, seat.id, {"held_until": until})


async def hold_again(uow: UnitOfWork, mentor_id: UUID, student_id: UUID, until: datetime) -> bool:
    """As `hold` for somebody whose hold was lost and who may have paid: any free seat will do. False if none is."""
    capacity = await lock_mentor(uow, mentor_id)
    seat = await repository.lock_seat(uow.session, mentor_id, student_id)
    if seat is not None:
        if seat.status is SeatStatus.GRACE:
            await repository.change_seat(uow.session, seat.id, {"held_until": until})
            await _wake(uow, seat.id, until)
        else:
            await hold(uow, mentor_id, student_id, until)
        return True
    if await repository.seats_in_use(uow.session, mentor_id) >= capacity:
        return False
    await _add(uow, mentor_id, student_id, SeatStatus.HELD, until)
    return True


async def give_back(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> None:
    """Nobody is paying any more: a held seat goes back to its offer if time is left, else it is released.

    Who was offered it has had their time, and is told; who waited without an offer keeps their place.
    """
    await lock_mentor(uow, mentor_id)
    seat = await repository.lock_seat(uow.session, mentor_id, student_id)
    if seat is None:
        return
    if seat.status is SeatStatus.GRACE and seat.held_until is not None:
        await repository.change_seat(uow.session, seat.id, {"held_until": None})
        await _wake(uow, seat.id, _instant(seat.seat_expires_at))
    elif seat.status is SeatStatus.ACTIVE and seat.held_until is not None:
        await _end_hold(uow, seat)
    elif seat.status is SeatStatus.HELD and seat.offered_until and seat.offered_until > clock.now():
        await _change(uow, seat, SeatStatus.OFFERED, seat.offered_until)
    elif seat.status is SeatStatus.HELD and seat.offered_until:
        await _lapse(uow, seat)
    elif seat.status is SeatStatus.HELD:
        await release(uow, seat)


async def settle(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> SeatStatus | None:
    """Bring the pair's seat in line with its packs after the ledger or its sessions changed; returns its status.

    A pack that only a session kept from expiring expires now.
    """
    pair = await lock_pair(uow, mentor_id, student_id)
    await expiry.look_again(uow, pair.packs)
    if pair.seat is None:
        return None
    current = rules.SeatDecision(pair.seat.status, pair.seat.seat_expires_at)
    states = [
        rules.PackState(pack.status, pack.remaining_sessions, pack.scheduled_sessions, pack.purchased_at)
        for pack in pair.packs
    ]
    decision = rules.seat_after(states, current, clock.now(), terms().grace)
    if decision.status is SeatStatus.RELEASED and current.status is not SeatStatus.RELEASED:
        await release(uow, pair.seat)
    elif decision != current:
        await _change(uow, pair.seat, decision.status, decision.expires_at)
    if decision.status is SeatStatus.GRACE and decision != current:
        await _tell_of_grace(uow, pair.seat.id, _instant(decision.expires_at))
    return decision.status


async def _tell_of_grace(uow: UnitOfWork, seat_id: UUID, until: datetime) -> None:
    """Both learn that the last session was used, and the student once more before the grace ends."""
    await telling.tell(uow, "final_renewal_notice", {"seat_id": seat_id, "until": iso(until)})
    await telling.schedule(uow, Anchor.GRACE, until, {"seat_id": seat_id})


async def release(uow: UnitOfWork, seat: SeatReservation, waited: WaitOutcome | None = None) -> None:
    """The seat is free for the next; `waited`: how that ended the student's waiting, if they had waited for it."""
    await _change(uow, seat, SeatStatus.RELEASED)
    if waited:
        await waitlist_repository.end(uow.session, seat.mentor_id, seat.student_id, waited, clock.now())
    await released(uow, seat.mentor_id, seat.student_id)


async def released(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> None:
    """What follows when a seat is free: it is offered to the next, and its role at Discord may go."""
    await uow.emit("seats/offer", {"mentor_id": mentor_id})
    await _sync_role(uow, student_id)


async def expire(uow: UnitOfWork, seat_id: UUID) -> None:
    """End an offer or a grace whose time is over; anything else, and anything later than now, stays."""
    found = await repository.seat_by_id(uow.session, seat_id)
    if found is None or found.status not in (SeatStatus.OFFERED, SeatStatus.GRACE):
        return
    await lock_mentor(uow, found.mentor_id)
    seat = await repository.lock_seat(uow.session, found.mentor_id, found.student_id)
    if seat is None or seat.id != seat_id or not _is_over(seat):
        return
    if seat.status is SeatStatus.OFFERED:
        await _lapse(uow, seat)
        return
    await release(uow, seat)
    await telling.tell(uow, "seat_released", {"seat_id": seat_id})


async def offer(uow: UnitOfWork, mentor_id: UUID) -> int:
    """Offer the mentor's free seats to those who have waited longest, each exclusively; returns how many."""
    capacity, now = await lock_mentor(uow, mentor_id), clock.now()
    await waitlist_repository.end_of_seated(uow.session, mentor_id, now)
    free = capacity - await repository.seats_in_use(uow.session, mentor_id)
    offered = 0
    while offered < free:
        entry = await waitlist_repository.first(uow.session, mentor_id)
        if entry is None:
            break
        if not await waitlist_repository.mark_offered(uow.session, entry.id, now):
            continue  # they left a moment ago: the next
        until = now + terms().offer
        seat_id = await _add(uow, mentor_id, entry.student_id, SeatStatus.OFFERED, until)
        await telling.tell(uow, "seat_offered", {"seat_id": seat_id})
        offered += 1
    return offered


async def _lapse(uow: UnitOfWork, seat: SeatReservation) -> None:
    """The time to take an offer is over: it goes to the next, and they are told."""
    await release(uow, seat, waited=WaitOutcome.LAPSED)
    await telling.tell(uow, "offer_lapsed", {"seat_id": seat.id})


async def _end_hold(uow: UnitOfWork, seat: SeatReservation) -> None:
    """The student isn't paying any more: what was not to expire meanwhile may do so now."""
    await repository.change_seat(uow.session, seat.id, {"held_until": None})
    await expiry.look_again(uow, await repository.lock_packs(uow.session, seat.mentor_id, seat.student_id))


async def _demand_nobody_waits(uow: UnitOfWork, seat: SeatReservation) -> None:
    """Where this seat, once released, would go to somebody else, nobody is let pay for it. Raises Refused."""
    if (await repository.seats_open_to(uow.session, seat.mentor_id, seat.student_id) or 0) < 0:
        raise Refused("sold_out", SOLD_OUT)


def _is_over(seat: SeatReservation) -> bool:
    if seat.status not in (SeatStatus.OFFERED, SeatStatus.GRACE):
        return False
    ends = [instant for instant in (seat.seat_expires_at, seat.held_until) if instant is not None]
    return max(ends) <= clock.now()


def _instant(instant: datetime | None) -> datetime:
    """The end that the table's check guarantees for every status that ends by itself."""
    if instant is None:
        raise LookupError("a seat that is offered, held or in grace has an end")
    return instant


async def _add(
    uow: UnitOfWork, mentor_id: UUID, student_id: UUID, status: SeatStatus, until: datetime | None = None
) -> UUID:
    seat_id = await repository.add_seat(uow.session, mentor_id, student_id, status, until, clock.now())
    if until is not None:
        await _wake(uow, seat_id, until)
    if status is SeatStatus.ACTIVE:
        await _sync_role(uow, student_id)
    return seat_id


async def _change(
    uow: UnitOfWork,
    seat: SeatReservation,
    status: SeatStatus,
    until: datetime | None = None,
    *,
    offered_until: datetime | None = None,
) -> None:
    values = {
        "status": status,
        "seat_expires_at": until,
        "offered_until": offered_until,
        "held_until": None,
        "changed_at": clock.now(),
    }
    await repository.change_seat(uow.session, seat.id, values)
    if until is not None:
        await _wake(uow, seat.id, until)
    if status is SeatStatus.ACTIVE:
        await _sync_role(uow, seat.student_id)


async def _wake(uow: UnitOfWork, seat_id: UUID, at: datetime) -> None:
    """Have somebody look at the seat when its time may be over."""
    await uow.emit("seats/expire", {"seat_id": seat_id}, at=at)


async def _sync_role(uow: UnitOfWork, student_id: UUID) -> None:
    """Have the student's role at Discord brought in line with the seats they have."""
    await uow.emit(ROLE, {"user_id": student_id})
