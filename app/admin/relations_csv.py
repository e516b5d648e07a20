"""Every relation as a file for spreadsheets: RFC 4180, streamed from one snapshot of the database."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Final
from uuid import UUID

from app.admin import instructors
from app.core.db import Database
from app.core.templating import iso
from app.core.unit_of_work import Principal, UnitOfWork
from app.mentees import relations
from app.mentees.relations import Relation

COLUMNS: Final = (
    "instructor_email",
    "mentee_email",
    "total_sessions",
    "remaining_sessions",
    "pack_status",
    "pack_expires_at",
    "last_session_at",
    "completed_sessions",
    "seat_status",
)
BOM: Final = "\ufeff"
MENTORS_AT_ONCE: Final = 2
CHUNK: Final = 8192
"""Characters of the file that are sent at once."""
# What makes spreadsheets calculate, by https://owasp.org/www-community/attacks/CSV_Injection, full-width forms included.
_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")


def harmless(cell: str) -> str:
    """`cell` so that a spreadsheet shows it as text: behind an apostrophe where it begins like a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def line(cells: Sequence[str | int | datetime | None]) -> str:
    """One record: instants in ISO 8601 (UTC), nothing for None, texts harmless, quoted where they need it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_cell(cell) for cell in cells])
    return text.getvalue()


async def stream(
    database: Database, principal: Principal, words: str, *, bom: bool
) -> AsyncGenerator[str, None]:
    """The file in chunks: all relations of the instructors found by `words` (of all without), instructor by instructor.

    It has a transaction of its own, read-only and repeatable, that ends with the stream, however that ends.
    """
    async with database.unit_of_work(principal) as uow:
        await uow.session.connection(
            execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        mentors = await instructors.addresses(uow, words)
        yield (BOM if bom else "") + line(COLUMNS)
        async with aclosing(_lines(uow, mentors)) as lines:
            waiting: list[str] = []
            size = 0
            async for text in lines:
                waiting.append(text)
                size += len(text)
                if size >= CHUNK:
                    yield "".join(waiting)
                    waiting, size = [], 0
            yield "".join(waiting)


async def _lines(uow: UnitOfWork, mentors: list[tuple[UUID, str]]) -> AsyncGenerator[str, None]:
    for start in range(0, len(mentors), MENTORS_AT_ONCE):
        emails = dict(mentors[start : start + MENTORS_AT_ONCE])
        async with aclosing(relations.stream_of_mentors(uow, list(emails))) as found:
            async for relation in found:
                yield line(_cells(emails[relation.mentor_id], relation))


def _cells(instructor_email: str, relation: Relation) -> list[str | int | datetime | None]:
    return [
        instructor_email,
        relation.student_email,
        relation.total,
        relation.remaining,
        relation.pack_status,
        relation.pack_expires_at,
        relation.last_session,
        relation.completed,
        relation.seat_status,
    ]


def _cell(value: str | int | datetime | None) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return iso(value)
    return harmless(value) if isinstance(value, str) else str(value)
