"""What the suites need beyond Python packages: browser files, a Chromium, PostgreSQL 15, Redis, PgBouncer. Progress is printed."""

from __future__ import annotations

import sys
from pathlib import Path

from app.dev import browser_files, chromium
from tests.support import debian_postgres, pgbouncer, redis

DATA = Path(__file__).resolve().parents[2] / ".data"


def main() -> int:
    """Fetch what is missing; returns the exit code."""
    try:
        browser_files.ensure_served()
        browser_files.ensure_for_tests(DATA)
        print(chromium.ensure(DATA).program)
        print(debian_postgres.ensure(DATA / "tests")[0])
        print(redis.ensure(DATA / "tests")[0])
        print(pgbouncer.ensure(DATA / "tests")[0])
    except (browser_files.BrowserFilesError, chromium.ChromiumError, debian_postgres.DebianError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
