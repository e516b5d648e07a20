"""Packs, their ledger and the seats that hang on it. Each function works in the caller's transaction."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.packs import repository, seats
from app.packs.models import EntryKind


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
    await seats.take(uow, mentor_id, student_id)
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


async def leave_days(uow: UnitOfWork, pack_id: UUID, days: int) -> None:
    """Leave the pack at least `days` from now (after a mentor's cancellation: 14)."""
    await repository.prolong(uow.session, pack_id, clock.now() + timedelta(days=days))
