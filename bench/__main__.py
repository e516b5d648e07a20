"""`make bench`: measures the platform and prints one JSON object a line; progress goes to standard error.

`python -m bench slots http booking` runs those parts, all without a name. `--quick` only shows that measuring works.
Ends non-zero where an answer wasn't what the measure is about; what misses its target is named at the end.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence

from app.core import clock
from app.core.db import Database
from bench import booking, lists, people, slots, web
from bench.audience import Audience
from bench.hours import Hours
from bench.load import UnexpectedAnswer
from bench.result import FULL, QUICK, Effort, Result, say
from bench.stage import Stage, StageError, raised

STAGED: dict[str, Callable[[Stage, Audience, Effort], Iterator[Result]]] = {
    "http": web.run,
    "booking": booking.run,
    "lists": lists.run,  # the last: the others are measured without its crowd
}
PARTS = ("slots", *STAGED)
PAIRS = 32
LIMITED = ("ms", "MB")
"""Measured in these, the baseline is the most that it may be."""
QUARTER = 0.25
"""Pages that show free times reach this part of the bare page's speed."""


def measure(parts: Sequence[str], effort: Effort) -> Iterator[Result]:
    """The results of the parts, as they come."""
    if "slots" in parts:
        yield from (Result(**line) for line in slots.run())
    wanted = [part for part in STAGED if part in parts]
    if not wanted:
        return
    say("building a platform to measure on")
    with raised() as stage:
        audience = asyncio.run(_audience(stage))
        for part in wanted:
            yield from STAGED[part](stage, audience, effort)


async def _audience(stage: Stage) -> Audience:
    database, now = Database(stage.settings), clock.now()
    try:
        looker = await people.looker(database, stage.settings)
        pairs = await people.pairs(database, stage.settings, PAIRS)
    finally:
        await database.dispose()
    return Audience(looker, pairs, Hours(now), now)


def missed(result: Result) -> str | None:
    """What a result lacks to its target, if it has one and misses it."""
    if result.unit in LIMITED:
        return (
            f"{result.bench}: {result.value} {result.unit}, more than {result.baseline}"
            if result.ratio > 1
            else None
        )
    if result.bench.startswith("GET ") and result.ratio < QUARTER:
        return f"{result.bench}, {result.concurrency} at once: {result.ratio:.1%} of the bare page, not a quarter"
    return None


def main(arguments: Sequence[str]) -> int:
    """Run the parts named in `arguments`; returns the exit code."""
    names = [name for name in arguments if name != "--quick"]
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        say(f"no such part: {', '.join(unknown)}. There are: {', '.join(PARTS)}")
        return 2
    misses = []
    try:
        for result in measure(names or PARTS, QUICK if "--quick" in arguments else FULL):
            print(result.line(), flush=True)
            misses.append(missed(result))
    except (UnexpectedAnswer, StageError) as error:
        say(f"can't be measured: {error}")
        return 1
    for miss in filter(None, misses):
        say(f"target missed: {miss}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
