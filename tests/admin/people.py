"""What the tests about people share: looking at rows, entries of the audit log, doing things to accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.accounts.models import User
from app.core.db import Database
from app.core.models import AuditEntry
from app.core.rls import ServiceDoor
from tests.cast import Cast


async def entries(database: Database, *actions: str) -> list[AuditEntry]:
    """What the audit log says, the oldest first; only of these actions, if any are named."""
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(AuditEntry).order_by(AuditEntry.at, AuditEntry.id)
        if actions:
            query = query.where(AuditEntry.action.in_(actions))
        return list((await uow.session.execute(query)).scalars())


async def user(database: Database, id_: UUID) -> User:
    """An account as it is now."""
    async with database.service(ServiceDoor.JOB) as uow:
        return (await uow.session.execute(sa.select(User).where(User.id == id_))).scalar_one()


async def run(database: Database, statement: str, **values: Any) -> Any:
    """Change rows as no service would, or read them: for what a test needs to stand on."""
    async with database.service(ServiceDoor.SEED) as uow:
        result = await uow.session.execute(sa.text(statement), values)
        rows = result.all() if result.returns_rows else None  # type: ignore[attr-defined]
        await uow.commit()
        return rows


async def let_go(database: Database, cast: Cast, student: str) -> None:
    """Nothing is owed to the student any more: the pack is over, the seat free."""
    await run(
        database, "update session_packs set status = 'expired' where student_id = :id", id=cast[student]
    )
    await run(
        database, "update seat_reservations set status = 'released' where student_id = :id", id=cast[student]
    )
