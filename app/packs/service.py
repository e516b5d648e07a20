"""Packs, their ledger and the seats that hang on it. Each function works in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core import clock
from app.core.errors import NotFound, Refused
from app.core.unit_of_work import UnitOfWork
from app.packs import repository, rules
from app.packs.models import EntryKind, SeatReservation, SeatStatus, SessionPack


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


async def grant(
    uow: UnitOfWork,
    *,
    mentor_id: UUID,
    student_id: UUID,
    sessions: int,
    validity_days: int,
    kind: EntryKind = EntryKind.GRANT,
    product_id: UUID | None = None,
    reason: str = "",
) -> UUID:
    """Give a student a pack: seat, pack, ledger entry and notification in the caller's transaction. Returns its id.

    Purchases call it with `kind=PURCHASE` once the money is there. Validity runs from now.
    Raises NotFound for an unknown mentor, Refused("sold_out") where no seat is free.
    """
    now = clock.now()
    await take_seat(uow, mentor_id, student_id, now)
    pack_id = await repository.add_pack(
        uow.session,
        mentor_id=mentor_id,
        student_id=student_id,
        product_id=product_id,
        sessions=sessions,
        purchased_at=now,
        expires_at=now + timedelta(days=validity_days),
    )
    await add_entry(uow, pack_id, kind, sessions, reason=reason)
    await uow.emit(
        "notification/send", {"kind": "pack_granted", "pack_id": pack_id}, key=f"pack_granted:{pack_id}"
    )
    return pack_id


async def take_seat(uow: UnitOfWork, mentor_id: UUID, student_id: UUID, now: datetime) -> None:
    """Make the pair's seat active, taking a new one if it has none. Locks the mentor, so that capacity holds.

    Raises NotFound for an unknown mentor, Refused("sold_out") where no seat is free.
    """
    capacity = await repository.lock_mentor(uow.session, mentor_id)
    if capacity is None:
        raise NotFound
    seat = await repository.lock_seat(uow.session, mentor_id, student_id)
    if seat is not None:
        if seat.status is not SeatStatus.ACTIVE:
            await repository.set_seat(uow.session, seat.id, SeatStatus.ACTIVE, None, now)
        return
    if await repository.seats_in_use(uow.session, mentor_id) >= capacity:
        raise Refused(
            "sold_out", "All seats of this instructor are taken. Join the waitlist to hear when one is free."
        )
    await repository.add_seat(uow.session, mentor_id, student_id, now)


async def add_entry(
    uow: UnitOfWork,
    pack_id: UUID,
    kind: EntryKind,
    delta: int,
    *,
    session_id: UUID | None = None,
    reason: str = "",
) -> None:
    """Write one line of the ledger; a trigger applies `delta` to the pack's remaining sessions.

    A session that is being spent must have stopped being scheduled before (the check `credit` holds at every
    statement).
    """
    await repository.add_entry(
        uow.session,
        {
            "pack_id": pack_id,
            "session_id": session_id,
            "kind": kind,
            "delta": delta,
            "actor_id": uow.principal.user_id,
            "reason": reason,
            "at": clock.now(),
        },
    )


async def settle(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> SeatStatus | None:
    """Bring the pair's seat in line with its packs after the ledger or its sessions changed; returns its status."""
    pair = await lock_pair(uow, mentor_id, student_id)
    if pair.seat is None:
        return None
    now = clock.now()
    current = rules.SeatDecision(pair.seat.status, pair.seat.seat_expires_at)
    states = [
        rules.PackState(pack.status, pack.remaining_sessions, pack.scheduled_sessions, pack.purchased_at)
        for pack in pair.packs
    ]
    decision = rules.seat_after(states, current, now)
    if decision != current:
        await repository.set_seat(uow.session, pair.seat.id, decision.status, decision.expires_at, now)
    return decision.status


async def leave_days(uow: UnitOfWork, pack_id: UUID, days: int) -> None:
    """Leave the pack at least `days` from now (after a mentor's cancellation: 14)."""
    await repository.prolong(uow.session, pack_id, clock.now() + timedelta(days=days))


async def join_waitlist(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> None:
    """Wait for a seat of the mentor, first come first served. Joining twice changes nothing."""
    await repository.join_waitlist(uow.session, mentor_id, student_id, clock.now())
