"""What the platform still has to do, asked of its own database through two functions it provides.

`next_due_at(after timestamptz) returns timestamptz`: the first instant after `after` at which something becomes due,
null if nothing will. `work_left(as_of timestamptz) returns bigint`: how much that is due by then is not done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg

from sandbox.clock import BusinessClock
from sandbox.control.errors import ControlError

POLL_SECONDS = 0.05


class Due:
    """One connection to the platform's database."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        self._connection = connection

    async def next_at(self, after: datetime) -> datetime | None:
        """The next instant at which something becomes due. Raises ControlError 502 if it is not after `after`."""
        found = await self._ask("SELECT next_due_at(%s)", after)
        if found is None:
            return None
        if not isinstance(found, datetime) or found <= after:
            raise ControlError(502, f"next_due_at({after.isoformat()}) answered {found}")
        return found.astimezone(UTC)

    async def drained(self, clock: BusinessClock, within: float) -> None:
        """Wait until nothing that is due is left to do. Raises ControlError 504 after `within` seconds."""
        end = time.monotonic() + within
        while left := await self._ask("SELECT work_left(%s)", clock.now()):
            if time.monotonic() > end:
                now = clock.now().isoformat()
                raise ControlError(504, f"not idle at {now}: {left} left to do after {within:g} s")
            await asyncio.sleep(POLL_SECONDS)

    async def _ask(self, statement: str, instant: datetime) -> object:
        cursor = await self._connection.execute(statement.encode(), (instant,))
        row = await cursor.fetchone()
        return row[0] if row else None


@asynccontextmanager
async def platform(url: str) -> AsyncIterator[Due]:
    """A connection as the service role. Raises ControlError 502 if the database can't be reached or asked."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            url.replace("+psycopg", "", 1), autocommit=True, connect_timeout=5
        )
        async with connection:
            yield Due(connection)
    except psycopg.Error as error:
        raise ControlError(502, f"the platform's database: {error}") from error
