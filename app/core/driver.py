"""Straight to the driver: for the one or two queries that nearly every request makes.

SQLAlchemy takes three times as long for them as psycopg alone. The query runs in the transaction that SQLAlchemy's
connection has open, and fails with SQLAlchemy's errors.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, LiteralString, cast

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

logger = logging.getLogger(__name__)

Row = tuple[Any, ...]


async def fetch_one(
    connection: AsyncConnection, query: LiteralString, values: Mapping[str, Any]
) -> Row | None:
    """The first row, None if there is none. Placeholders are psycopg's: `%(name)s`. Raises DBAPIError."""
    driver = _driver(connection)
    try:
        cursor = await driver.execute(query, values)
        return await cursor.fetchone()
    except psycopg.Error as error:
        if driver.closed:
            # Only the first line: drivers put values into the others.
            logger.warning(
                "a connection was lost: %s: %s", type(error).__name__, str(error).partition("\n")[0]
            )
            # Raises, and SQLAlchemy gives up every pooled connection; it only says that this one is closed.
            await connection.exec_driver_sql("select 1")
        raise DBAPIError.instance(query, None, error, psycopg.Error, dialect=connection.dialect) from error


def _driver(connection: AsyncConnection) -> psycopg.AsyncConnection[Row]:
    opened = connection.sync_connection
    if opened is None:
        raise LookupError("the connection is closed")
    return cast(psycopg.AsyncConnection[Row], opened.connection.driver_connection)
