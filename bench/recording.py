"""What one booking sends to the database: every statement with its values, and where transactions begin and end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from psycopg import AsyncCursor
from psycopg.pq import TransactionStatus

from app.core.db import Database


@dataclass(frozen=True)
class Statement:
    """SQL with psycopg's placeholders, and what they stand for."""

    sql: str
    values: Mapping[str, Any] | Sequence[Any]


BEGIN = Statement("begin", ())
COMMIT = Statement("commit", ())


@contextmanager
def recorded(database: Database) -> Iterator[list[Statement]]:
    """The statements of the app role from here on. `database` must not have been connected yet."""
    statements: list[Statement] = []

    class Recording(AsyncCursor[Any]):
        async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            if self.connection.info.transaction_status == TransactionStatus.IDLE:
                statements.append(BEGIN)
            statements.append(Statement(str(query), params or ()))
            return await super().execute(query, params, **options)

    def watch(connection: Any, _: object) -> None:
        connection.driver_connection.cursor_factory = Recording

    def committed(_: sa.Connection) -> None:
        statements.append(COMMIT)

    engine = database.app.sync_engine
    sa.event.listen(engine, "connect", watch)
    sa.event.listen(engine, "commit", committed)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "connect", watch)
        sa.event.remove(engine, "commit", committed)
