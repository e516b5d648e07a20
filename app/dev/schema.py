"""Is the database's schema the one of this checkout? Asked at every start, so without loading the migrations."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"
_REVISION = re.compile(r'^revision = "(\w+)"', re.MULTILINE)
_DOWN_REVISION = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)


def heads() -> set[str]:
    """The revisions that no other one follows: one, unless two lines of migrations wait to be merged."""
    texts = [file.read_text() for file in VERSIONS.glob("*.py")]
    revisions = {found[1] for found in map(_REVISION.search, texts) if found}
    return revisions - {found[1] for found in map(_DOWN_REVISION.search, texts) if found}


def is_current(owner_url: str) -> bool:
    """True if the database of `owner_url` is at the newest revision. Raises psycopg.OperationalError."""
    with psycopg.connect(owner_url) as connection:
        try:
            rows = connection.execute("select version_num from alembic_version").fetchall()
        except psycopg.errors.UndefinedTable:
            return False
    return {version for (version,) in rows} == heads()
