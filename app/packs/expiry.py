"""A pack's expiry: who is told before it, and when somebody has to look whether the pack has expired.

What is left then goes by the ledger (`service.expire`), which looks again at everything and can be asked at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.notifications.kinds import Anchor
from app.packs import repository, rules
from app.packs.models import SessionPack

EXPIRE = "packs/expire"


async def watch(uow: UnitOfWork, pack_id: UUID, expires_at: datetime) -> None:
    """Whenever a pack's expiry is set or moves: have the student told before it, and what is left then expire."""
    await telling.schedule(uow, Anchor.PACK, expires_at, {"pack_id": pack_id})
    await look(uow, pack_id, expires_at)


async def look(uow: UnitOfWork, pack_id: UUID, at: datetime) -> None:
    """Have somebody look whether the pack has expired, at `at` (business time) or as soon as possible."""
    await uow.emit(EXPIRE, {"pack_id": pack_id}, at=at)


async def look_again(uow: UnitOfWork, packs: Sequence[SessionPack]) -> None:
    """Have those expire whose time is over and which nothing keeps any more."""
    now = clock.now()
    for pack in packs:
        if rules.has_expired(pack, now):
            await look(uow, pack.id, now)


async def leave_days(uow: UnitOfWork, pack_id: UUID, days: int) -> None:
    """Leave a pack at least `days` from now."""
    at_least = clock.now() + timedelta(days=days)
    if await repository.prolong(uow.session, pack_id, at_least):
        await watch(uow, pack_id, at_least)
