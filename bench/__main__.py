"""`make bench`: measures, one JSON object a line; `python -m bench slots http` runs only those parts."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from app.core.db import Database
from bench import people, slots, web
from bench.hours import Hours
from bench.result import FULL, QUICK
from bench.stage import Stage, raised


def slot_lines() -> Iterator[str]:
    """The slot engine beside its limits."""
    for result in slots.run():
        yield json.dumps(result)


async def _audience(stage: Stage, now: datetime) -> web.Audience:
    database = Database(stage.settings)
    try:
        looker = await people.looker(database, stage.settings)
        pairs = await people.pairs(database, stage.settings, PAIRS)
        return web.Audience(looker, pairs, Hours(now), now)
    finally:
        await database.dispose()


def http_lines() -> Iterator[str]:
    """Pages and endpoints beside a bare page."""
    now = datetime.now(UTC)
    effort = QUICK if os.environ.get("BENCH_QUICK") else FULL
    with raised() as stage:
        audience = asyncio.run(_audience(stage, now))
        for result in web.run(stage, audience, effort):
            yield result.line()


PAIRS = 32
PARTS = {"slots": slot_lines, "http": http_lines}


def main() -> int:
    """Run the parts named on the command line, all for none; returns the exit code."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}. There are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    for name in wanted:
        for line in PARTS[name]():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
