"""One transaction at a time, bound to one principal.

The web opens exactly one unit of work a request and commits at the edge, before the response is sent; jobs open one
each. A service that must speak to a vendor commits first (`commit`), speaks, and goes on in the next transaction.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, LiteralString, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from app.core import clock, driver
from app.core.ids import new_id
from app.core.rls import ServiceDoor


class Role(StrEnum):
    """What an account may do; `mentor` is shown as "instructor"."""

    STUDENT = "student"
    MENTOR = "mentor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf the database is asked: a user, nobody (`user_id` None), or the service.

    For the audit log: `impersonator_id`, the admin who is signed in as the user, and `address`, where they ask from.
    """

    user_id: UUID | None
    role: str
    impersonator_id: UUID | None = None
    address: str | None = None


ANONYMOUS = Principal(None, "anonymous")
SERVICE = Principal(None, "service")

_BIND = sa.text("select set_config('app.user_id', :user_id, true), set_config('app.role', :role, true)")
_EMIT = sa.text(
    "insert into outbox (id, type, payload, key, state, attempts, created_at, available_at)"
    " values (:id, :type, cast(:payload as jsonb), :key, 'new', 0, :now, :available_at)"
    " on conflict do nothing"
)
_EMIT_ALL = sa.text(
    "insert into outbox (id, type, payload, key, state, attempts, created_at, available_at)"
    " select id, :type, payload, coalesce(key, id::text), 'new', 0, :now, at"
    " from jsonb_to_recordset(cast(:events as jsonb)) as e(id uuid, payload jsonb, key text, at timestamptz)"
    " on conflict do nothing"
)


class BoundSession(Session):
    """A session whose every transaction is bound to the principal of its unit of work."""

    unit_of_work: UnitOfWork | None = None


@event.listens_for(BoundSession, "after_begin")
def _bind(session: BoundSession, transaction: object, connection: sa.Connection) -> None:
    uow = session.unit_of_work
    if uow is not None and not uow.has_begun_on(connection):
        uow.bind(connection)


class UnitOfWork:
    """The principal, the transaction bound to it, and the outbox of that transaction.

    Both `fetch_one` and `session` work in the one transaction, whichever comes first begins it. A request that needs
    no session, as most that only look, is spared the making of one.
    """

    def __init__(self, engine: AsyncEngine, principal: Principal, *, door: ServiceDoor | None = None) -> None:
        self.principal = principal
        self.door = door
        self._engine = engine
        self._begun: AsyncConnection | None = None  # with a transaction that no session began
        self._session: AsyncSession | None = None

    @property
    def session(self) -> AsyncSession:
        """Made when it is first asked for; it goes on with the transaction that is open by then."""
        if self._session is None:
            self._session = AsyncSession(
                self._begun or self._engine,
                sync_session_class=BoundSession,
                expire_on_commit=False,
                join_transaction_mode="control_fully",
            )
            cast(BoundSession, self._session.sync_session).unit_of_work = self
        return self._session

    async def fetch_one(self, query: LiteralString, values: Mapping[str, Any]) -> driver.Row | None:
        """The first row of a query that goes straight to the driver, None if there is none; see `core.driver`."""
        return await driver.fetch_one(await self._connection(), query, values)

    async def _connection(self) -> AsyncConnection:
        if self._session is not None:
            return await self._session.connection()
        if self._begun is None:
            self._begun = await self._engine.connect()
            if self.principal.user_id is None and self._begun.sync_connection is not None:
                self._begun.sync_connection.begin()  # speaks to nobody yet
            else:
                await self._begun.run_sync(self._begin)
        return self._begun

    def _begin(self, connection: sa.Connection) -> None:
        connection.begin()
        self.bind(connection)

    def bind(self, connection: sa.Connection) -> None:
        """Bind the transaction that `connection` has open to the principal; nobody needs no binding."""
        if self.principal.user_id is not None:
            values = {"user_id": str(self.principal.user_id), "role": self.principal.role}
            connection.execute(_BIND, values)

    def has_begun_on(self, connection: sa.Connection) -> bool:
        """True if the open transaction was begun, and bound, on `connection` before there was a session."""
        return self._begun is not None and self._begun.sync_connection is connection

    @property
    def user_id(self) -> UUID:
        """The signed-in user's id. Raises LookupError where nobody is signed in (a guard is missing)."""
        if self.principal.user_id is None:
            raise LookupError("this unit of work is bound to no user")
        return self.principal.user_id

    async def become(self, principal: Principal) -> None:
        """Bind to `principal` from now on: the current transaction, if one is open, and those after it."""
        self.principal = principal
        if self._begun is not None or (self._session is not None and self._session.in_transaction()):
            values = {"user_id": str(principal.user_id or ""), "role": principal.role}
            await (await self._connection()).execute(_BIND, values)

    async def commit(self) -> None:
        """Commit; the next statement begins a new transaction, bound again."""
        if self._session is not None:
            await self._session.commit()
        await self._let_go(sa.Connection.commit)

    async def rollback(self) -> None:
        """Undo everything since the last commit."""
        if self._session is not None:
            await self._session.rollback()
        await self._let_go(sa.Connection.rollback)

    async def close(self) -> None:
        """Undo what was not committed and give the connection back, even while being canceled."""
        if self._begun is not None or (self._session is not None and self._session.in_transaction()):
            await asyncio.shield(self._close())

    async def _close(self) -> None:
        if self._session is not None:
            await self._session.close()
        await self._let_go(sa.Connection.rollback)

    async def _let_go(self, settle: Callable[[sa.Connection], None]) -> None:
        """Settle the transaction that was begun without a session; a session goes on with connections of its own."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        if self._session is not None:
            self._session.bind = self._engine
            self._session.sync_session.bind = self._engine.sync_engine
        await begun.run_sync(_settle, settle)

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

    async def emit_all(
        self, type_: str, events: Sequence[tuple[Mapping[str, Any], str | None, datetime]]
    ) -> None:
        """As `emit` for each (payload, key, at) of a type, in one statement; in none where there are none."""
        if not events:
            return
        rows = [{"id": new_id(), "payload": payload, "key": key, "at": at} for payload, key, at in events]
        values = {"type": type_, "events": json.dumps(rows, default=str), "now": clock.now()}
        await self.session.execute(_EMIT_ALL, values)


def _settle(connection: sa.Connection, settle: Callable[[sa.Connection], None]) -> None:
    """Give the connection back, its transaction settled; a session may have done that already."""
    try:
        if connection.in_transaction():
            settle(connection)
    finally:
        connection.close()
