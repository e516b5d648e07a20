"""How many statements the code under test sends, whichever way they go: counted where they reach the driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import AsyncCursor


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that this process sends within the block, except for those that begin or end transactions."""
    statements: list[str] = []
    execute = AsyncCursor.execute

    async def noted(cursor: AsyncCursor[Any], query: Any, *values: Any, **options: Any) -> AsyncCursor[Any]:
        statements.append(str(query))
        return await execute(cursor, query, *values, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncCursor, "execute", noted)
        yield statements


@contextmanager
def sent() -> Iterator[list[tuple[str, Any]]]:
    """As `counted`, each statement with its values."""
    found: list[tuple[str, Any]] = []
    execute = AsyncCursor.execute

    async def noted(cursor: AsyncCursor[Any], query: Any, *values: Any, **options: Any) -> AsyncCursor[Any]:
        found.append((str(query), values[0] if values else None))
        return await execute(cursor, query, *values, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncCursor, "execute", noted)
        yield found
