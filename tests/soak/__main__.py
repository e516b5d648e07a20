"""`python -m tests.soak`, a part of `make soak`: kills workers.

Prints the seed and one JSON object a line; ends non-zero if it found something. SOAK_ROUNDS sets the rounds of killing the worker (200), SOAK_SEED repeats the random choices of another run.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import sys
import time
from typing import Any

from tests.soak.stage import own_stage
from tests.soak.worker_kills import Kills, run


def say(**facts: Any) -> None:
    """One JSON object, one line."""
    print(json.dumps(facts), flush=True)


async def worker_kills(seed: int, rounds: int) -> bool:
    """200 rounds of killing the worker; True if nothing was lost and nothing happened twice."""
    began, good = time.monotonic(), False
    async with own_stage() as own:
        kills = Kills(own.desk, own.sandbox, own.settings, random.Random(seed))
        async for facts in run(kills, rounds):
            good = bool(facts.get("ok"))
            say(soak="worker_kills", seconds=round(time.monotonic() - began, 1), **facts)
    return good


def main() -> int:
    """Run every soak; returns the exit code."""
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(1 << 32))
    rounds = int(os.environ.get("SOAK_ROUNDS") or 200)
    say(soak="worker_kills", seed=seed, rounds=rounds)
    return 0 if asyncio.run(worker_kills(seed, rounds)) else 1


if __name__ == "__main__":
    sys.exit(main())
