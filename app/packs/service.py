"""Packs, their ledger and the seats that hang on it. Each function works in the caller's transaction."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from app.core import clock
from app.core.errors import Refused
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.packs import expiry, renewal, repository, rules, seats
from app.packs.models import EntryKind, PackStatus, SessionPack


async def grant(
    uow: UnitOfWork,
    *,
    mentor_id: UUID,
    student_id: UUID,
    sessions: int,
    validity_days: int,
    reason: str = "",
    import_key: str | None = None,
) -> UUID:
    """Give a student a pack without payment: as `add`, and both are told. Returns its id."""
    pack_id = await add(
        uow,
        mentor_id=mentor_id,
        student_id=student_id,
        sessions=sessions,
        validity_days=validity_days,
        kind=EntryKind.GRANT,
        reason=reason,
        import_key=import_key,
    )
    await telling.tell(uow, "pack_granted", {"pack_id": pack_id})
    return pack_id


async def add(
    uow: UnitOfWork,
    *,
    mentor_id: UUID,
    student_id: UUID,
    sessions: int,
    validity_days: int,
    kind: EntryKind,
    product_id: UUID | None = None,
    reason: str = "",
    import_key: str | None = None,
) -> UUID:
    """A new pack with its seat and its first ledger entry, in the caller's transaction. Validity runs from now.

    `import_key`: what must not come twice.
    Raises NotFound for an unknown mentor, Refused("sold_out") where no seat is free.
    """
    now = clock.now()
    expires_at = now + timedelta(days=validity_days)
    await seats.take(uow, mentor_id, student_id)
    pack_id = await repository.add_pack(
        uow.session,
        mentor_id=mentor_id,
        student_id=student_id,
        product_id=product_id,
        sessions=sessions,
        purchased_at=now,
        expires_at=expires_at,
        import_key=import_key,
    )
    await add_entry(uow, pack_id, kind, sessions, reason=reason)
    await expiry.watch(uow, pack_id, expires_at)
    return pack_id


async def freeze(uow: UnitOfWork, pack_id: UUID, frozen: bool) -> None:
    """Stop a pack from being spent while its payment is disputed, or let it be spent again.

    A frozen pack doesn't expire. What can be spent again then can be for 14 days at least.
    """
    pack = await repository.pack_by_id(uow.session, pack_id)
    thaws = pack is not None and pack.frozen and not frozen
    await repository.change_pack(uow.session, pack_id, {"frozen": frozen})
    if pack is not None and thaws and pack.status is PackStatus.ACTIVE:
        await expiry.leave_days(uow, pack_id, rules.DAYS_AFTER_DISPUTE)


async def expire(uow: UnitOfWork, pack_id: UUID) -> None:
    """Let what is left of a pack expire; the seat follows, and both are told.

    Nothing happens while its time isn't over, a session of it is booked or it is frozen, and never twice. While the
    student is paying for another pack it waits, so that they don't lose the seat meanwhile.
    """
    found = await repository.pack_by_id(uow.session, pack_id)
    if found is None:
        return
    await seats.lock_mentor(uow, found.mentor_id)
    pair = await seats.lock_pair(uow, found.mentor_id, found.student_id)
    pack = next(pack for pack in pair.packs if pack.id == pack_id)
    if not rules.has_expired(pack, clock.now()):
        return
    if pair.seat and pair.seat.held_until and pair.seat.held_until > clock.now():
        await expiry.look(uow, pack_id, pair.seat.held_until)
        return
    left, expired_at = pack.remaining_sessions, iso(pack.expires_at)
    await repository.change_pack(uow.session, pack_id, {"status": PackStatus.EXPIRED})
    await add_entry(uow, pack_id, EntryKind.EXPIRE, -left)
    seat = await seats.settle(uow, pack.mentor_id, pack.student_id)
    about = {"pack_id": pack_id, "expires_at": expired_at}
    await telling.tell(uow, "pack_expired", {**about, "sessions": left, "seat": seat})


async def unexpire(uow: UnitOfWork, pack_id: UUID) -> None:
    """Give a pack back what expired: its expiry was moved. It must not read `expired` any more."""
    entry = await repository.last_entry(uow.session, pack_id, EntryKind.EXPIRE)
    if entry is not None:
        await add_entry(uow, pack_id, EntryKind.REVERSAL, -entry.delta, reason="The expiry was moved")


async def void(uow: UnitOfWork, pack: SessionPack, sessions: int) -> None:
    """Take `sessions` from a locked pack because its money goes back: nothing of it can be spent any more.

    The pack's sessions must have stopped being scheduled before.
    """
    if sessions:
        await add_entry(uow, pack.id, EntryKind.REFUND, -sessions)
    await repository.change_pack(uow.session, pack.id, {"status": PackStatus.REFUNDED, "frozen": False})
    await seats.settle(uow, pack.mentor_id, pack.student_id)


async def revive(uow: UnitOfWork, pack: SessionPack, sessions: int) -> bool:
    """Give a voided pack its sessions back: the money stayed. False if its seat is gone and none is free."""
    await repository.change_pack(uow.session, pack.id, {"status": PackStatus.ACTIVE})
    if sessions:
        await add_entry(uow, pack.id, EntryKind.REVERSAL, sessions)
    await expiry.look(uow, pack.id, pack.expires_at)
    try:
        await seats.take(uow, pack.mentor_id, pack.student_id)
    except Refused:
        return False
    await seats.settle(uow, pack.mentor_id, pack.student_id)
    return True


async def seat_again(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> bool:
    """Give a pair a seat that has sessions left and none any more; a live one stays. False if none is free.

    Service unit of work or an admin's.
    """
    await seats.lock_mentor(uow, mentor_id)
    pair = await seats.lock_pair(uow, mentor_id, student_id)
    now = clock.now()
    left = any(
        pack.status is PackStatus.ACTIVE and pack.remaining_sessions and pack.expires_at > now
        for pack in pair.packs
    )
    if pair.seat or not left or not await repository.are_both_there(uow.session, mentor_id, student_id):
        return True
    try:
        await seats.take(uow, mentor_id, student_id)
    except Refused:
        return False
    return True


async def add_entry(
    uow: UnitOfWork,
    pack_id: UUID,
    kind: EntryKind,
    delta: int,
    *,
    session_id: UUID | None = None,
    reason: str = "",
) -> UUID:
    """Write one line of the ledger and return its id; a trigger applies `delta` to the pack's remaining sessions.

    A session that is being spent must have stopped being scheduled before (the check `credit` holds at every
    statement).
    """
    entry_id = await repository.add_entry(
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
    await renewal.remind(uow, pack_id, kind, delta)
    return entry_id


async def leave_days(uow: UnitOfWork, pack_id: UUID, days: int) -> None:
    """Leave the pack at least `days` from now (after a mentor's cancellation: 14)."""
    await expiry.leave_days(uow, pack_id, days)
