"""One transaction at a time, bound to one principal.

The web opens exactly one unit of work a request and commits at the edge, before the response is sent; jobs open one
each. A service that must speak to a vendor commits first (`commit`), speaks, and goes on in the next transaction.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from app.core import clock
from app.core.ids import new_id
from app.core.rls import ServiceDoor


class Role(StrEnum):
    """What an account may do; `mentor` is shown as "instructor"."""

    STUDENT = "student"
    MENTOR = "mentor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf the database is asked: a user, nobody (`user_id` None), or the service."""

    user_id: UUID | None
    role: str


ANONYMOUS = Principal(None, "anonymous")
SERVICE = Principal(None, "service")

_BIND = sa.text("select set_config('app.user_id', :user_id, true), set_config('app.role', :role, true)")
_EMIT = sa.text(
    "insert into outbox (id, type, payload, key, state, attempts, created_at, available_at)"
    " values (:id, :type, cast(:payload as jsonb), :key, 'new', 0, :now, :available_at)"
    " on conflict do nothing"
)


class BoundSession(Session):
    """A session whose every transaction is bound to the principal of its unit of work."""

    unit_of_work: UnitOfWork | None = None


@event.listens_for(BoundSession, "after_begin")
def _bind(session: BoundSession, transaction: object, connection: sa.Connection) -> None:
    uow = session.unit_of_work
    if uow is not None and uow.principal.user_id is not None:
        values = {"user_id": str(uow.principal.user_id), "role": uow.principal.role}
        connection.execute(_BIND, values)


class UnitOfWork:
    """The session, the principal it is bound to, and the outbox of the current transaction."""

    def __init__(
        self, session: AsyncSession, principal: Principal, *, door: ServiceDoor | None = None
    ) -> None:
        self.session = session
        self.principal = principal
        self.door = door
        cast(BoundSession, session.sync_session).unit_of_work = self

    @property
    def user_id(self) -> UUID:
        """The signed-in user's id. Raises LookupError where nobody is signed in (a guard is missing)."""
        if self.principal.user_id is None:
            raise LookupError("this unit of work is bound to no user")
        return self.principal.user_id

    async def become(self, principal: Principal) -> None:
        """Bind to `principal` from now on: the current transaction, if one is open, and those after it."""
        self.principal = principal
        if self.session.in_transaction():
            values = {"user_id": str(principal.user_id or ""), "role": principal.role}
            await self.session.execute(_BIND, values)

    async def commit(self) -> None:
        """Commit; the next statement begins a new transaction, bound again."""
        await self.session.commit()

    async def rollback(self) -> None:
        """Undo everything since the last commit."""
        await self.session.rollback()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Commit at the end of the block, roll back if it raises."""
        try:
            yield
            await self.commit()
        finally:
            await self.rollback()  # nothing is left to roll back after a commit

    async def emit(
        self, type_: str, payload: Mapping[str, Any], *, key: str | None = None, at: datetime | None = None
    ) -> UUID:
        """Write an event to the outbox in this transaction; a job acts on it after the commit.

        `payload` holds ids and codes, never personal values. An equal `key` makes later events vanish. `at` (business
        time) delays it. Returns the event's id.
        """
        now = clock.now()
        id_ = new_id()
        values = {
            "id": id_,
            "type": type_,
            "payload": json.dumps(payload, default=str),
            "key": key or str(id_),
            "now": now,
            "available_at": at or now,
        }
        await self.session.execute(_EMIT, values)
        return id_
