"""Packs, their ledger and the seats that hang on it. Each function works in the caller's transaction."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from app.core import clock
from app.core.errors import Refused
from app.core.unit_of_work import UnitOfWork
from app.packs import repository, seats
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
    await uow.emit(
        "notification/send", {"kind": "pack_granted", "pack_id": pack_id}, key=f"pack_granted:{pack_id}"
    )
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
    await seats.take(uow, mentor_id, student_id)
    pack_id = await repository.add_pack(
        uow.session,
        mentor_id=mentor_id,
        student_id=student_id,
        product_id=product_id,
        sessions=sessions,
        purchased_at=now,
        expires_at=now + timedelta(days=validity_days),
        import_key=import_key,
    )
    await add_entry(uow, pack_id, kind, sessions, reason=reason)
    return pack_id


async def freeze(uow: UnitOfWork, pack_id: UUID, frozen: bool) -> None:
    """Stop a pack from being spent while its payment is disputed, or let it be spent again."""
    await repository.change_pack(uow.session, pack_id, {"frozen": frozen})


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
    try:
        await seats.take(uow, pack.mentor_id, pack.student_id)
    except Refused:
        return False
    await seats.settle(uow, pack.mentor_id, pack.student_id)
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
    return await repository.add_entry(
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


async def leave_days(uow: UnitOfWork, pack_id: UUID, days: int) -> None:
    """Leave the pack at least `days` from now (after a mentor's cancellation: 14)."""
    await repository.prolong(uow.session, pack_id, clock.now() + timedelta(days=days))
