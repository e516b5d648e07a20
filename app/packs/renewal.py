"""When it is time to renew: one session is left over all packs of a pair, after at least one was used."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.packs import repository
from app.packs.models import EntryKind
from app.packs.repository import Credit

KIND: Final = "renewal_reminder"
LAST: Final = 1


async def remind(uow: UnitOfWork, pack_id: UUID, entry: EntryKind, delta: int) -> None:
    """After a line of the ledger: have the student reminded if it took the last session but one.

    Once for as many sessions as the two ever agreed on: what is undone and done again doesn't remind twice, another
    pack does. A new pack with a single session reminds nobody, nor does money that goes back.
    """
    if delta > 0 or entry is EntryKind.REFUND:
        return
    pack = await repository.pack_by_id(uow.session, pack_id)
    if pack is None:
        raise LookupError("the ledger has a line of a pack that doesn't exist")
    credit = await repository.credit(uow.session, pack.mentor_id, pack.student_id, clock.now())
    if is_due(credit):
        pair = {"mentor_id": pack.mentor_id, "student_id": pack.student_id}
        await telling.tell(uow, KIND, {**pair, "total": credit.total})


def is_due(credit: Credit) -> bool:
    """True if one session is left of more."""
    return credit.left == LAST < credit.total
