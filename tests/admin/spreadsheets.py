"""Readers of the file of relations that know nothing of each other, and cells that break careless ones."""

from __future__ import annotations

import csv
import io
import random

import psycopg

from app.admin.relations_csv import COLUMNS
from tests.support import rfc4180

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
PIECES = (
    *FORMULAS,
    *(
        '"',
        '""',
        ",",
        ";",
        "\r\n",
        " ",
        "'",
        "\\",
        "|",
        "%",
        "{}",
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("http://x")',
    ),
    *(
        "Ana",
        "Łukasz",
        "Ægir",
        "Ümit",
        "山田",
        "محمد",
        "🎨",
        "👩‍👩‍👧",
        "🇵🇹",
        "é",
        "\u200b",
        "\u202e",
        "\ufeff",
        "\x7f",
    ),
)


def odd_text(chance: random.Random) -> str:
    """A few pieces in any order."""
    return "".join(chance.choices(PIECES, k=chance.randrange(1, 7)))


def by_python(text: str) -> list[list[str]]:
    """As Python's csv module reads it."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def by_the_book(text: str) -> list[list[str]]:
    """As RFC 4180 says, letter by letter."""
    return rfc4180.parse(text)


def by_postgres(url: str, text: str) -> list[list[str]]:
    """As PostgreSQL's COPY reads it, the header checked against the columns; in the order of the lines."""
    columns = ", ".join(f"{column} text" for column in COLUMNS)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"create temporary table read (line bigint generated always as identity, {columns})")
        into = f"copy read ({', '.join(COLUMNS)}) from stdin with (format csv, header match)"
        with cursor.copy(into) as copy:
            copy.write(text.encode())
        cursor.execute(f"select {', '.join(COLUMNS)} from read order by line")
        rows = [[cell or "" for cell in row] for row in cursor.fetchall()]
        connection.rollback()
    return [list(COLUMNS), *rows]
