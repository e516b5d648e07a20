"""A platform with many people on it: mentors, students, packs, ledger, seats and sessions, made set by set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import LiteralString, cast

import psycopg

STATEMENTS = Path(__file__).with_name("crowd.sql")
TABLES = ("sessions", "session_packs", "pack_entries", "seat_reservations")
"""Whose triggers would count a million times what is counted once at the end."""


@dataclass(frozen=True)
class Crowd:
    """How many there are; `sessions`: of each student."""

    mentors: int
    students: int
    sessions: int = 20


SCHOOL = Crowd(500, 50_000)
CLASS = Crowd(5, 60, 8)


def gather(owner_url: str, crowd: Crowd, now: datetime) -> None:
    """Add the crowd to what the platform has, as the owner of its tables. Once a database."""
    values = {"mentors": crowd.mentors, "students": crowd.students, "sessions": crowd.sessions, "now": now}
    with psycopg.connect(owner_url) as connection, psycopg.ClientCursor(connection) as cursor:
        for table in TABLES:
            cursor.execute(f"alter table {table} disable trigger user")
        cursor.execute(cast(LiteralString, STATEMENTS.read_text()), values)
        for table in TABLES:
            cursor.execute(f"alter table {table} enable trigger user")
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
