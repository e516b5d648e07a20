"""Leaving for good: what every slice has to say about it (domain: "Forgetting")."""

from __future__ import annotations

from uuid import UUID

from app.accounts import service as accounts
from app.calendars import connection
from app.calendars.google import Google
from app.core import clock
from app.core.db import Database
from app.core.errors import Refused
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, UnitOfWork
from app.site import traces


async def leave(database: Database, google: Google, principal: Principal, user_id: UUID) -> None:
    """Erase a person on behalf of `principal`: themselves, or an admin. No transaction may be open.

    The grant for their calendar is given back to Google before. Raises Refused (`sessions_scheduled`, `packs_live`,
    `money_moving`, `last_admin`), NotFound.
    """
    async with database.service(ServiceDoor.FORGET) as uow:
        await _refuse_while_owed(uow, user_id)
    await connection.disconnect(database, google, user_id)
    async with database.service(ServiceDoor.FORGET) as uow, uow.transaction():
        # Locks the person's row: from here on nobody can give them a pack or book a session.
        await accounts.forget(uow, user_id, actor=principal)
        await _refuse_while_owed(uow, user_id)
        for mentor_id in await traces.erase(uow.session, user_id, clock.now()):
            await uow.emit("seats/offer", {"mentor_id": mentor_id})


async def _refuse_while_owed(uow: UnitOfWork, user_id: UUID) -> None:
    if await traces.has_scheduled_sessions(uow.session, user_id):
        raise Refused(
            "sessions_scheduled", "A session is still scheduled. Cancel it, or wait until it is over."
        )
    if await traces.has_live_packs(uow.session, user_id, clock.now()):
        raise Refused("packs_live", "A pack still has sessions left. Use them, or wait until it ends.")
    if await traces.has_money_moving(uow.session, user_id):
        raise Refused("money_moving", "A payment or a refund is under way. Wait until it is done.")
