"""Leaving for good: what every slice has to say about it (domain: "Forgetting")."""

from __future__ import annotations

from uuid import UUID

from app.accounts import service as accounts
from app.admin.owed import refuse_while_owed
from app.calendars import connection
from app.calendars.google import Google
from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal
from app.packs import seats
from app.site import traces


async def leave(database: Database, google: Google, principal: Principal, user_id: UUID) -> None:
    """Erase a person on behalf of `principal`: themselves, or an admin. No transaction may be open.

    The grant for their calendar is given back to Google before. Raises Refused (`sessions_scheduled`, `packs_live`,
    `money_moving`, `last_admin`), NotFound.
    """
    async with database.service(ServiceDoor.FORGET) as uow:
        await refuse_while_owed(uow, user_id)
    await connection.disconnect(database, google, user_id)
    async with database.service(ServiceDoor.FORGET) as uow, uow.transaction():
        # Locks the person's row: from here on nobody can give them a pack or book a session.
        await accounts.forget(uow, user_id, actor=principal)
        await refuse_while_owed(uow, user_id)
        for mentor_id, student_id in await traces.erase(uow.session, user_id, clock.now()):
            await seats.released(uow, mentor_id, student_id)
