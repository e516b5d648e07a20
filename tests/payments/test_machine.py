"""Random histories hold the invariants after every step, and end in agreement with the vendors.

MACHINE_STEPS says how many steps (a soak: 5,000), MACHINE_SEED repeats a run.
"""

from __future__ import annotations

import os
import random

from tests.payments.machine import ACTIONS, Machine
from tests.payments.shop import Shop

STEPS = int(os.environ.get("MACHINE_STEPS") or 150)
SEED = int(os.environ.get("MACHINE_SEED") or random.randrange(1 << 32))
REST_EVERY = 75


async def test_random_histories_keep_every_invariant(shop: Shop) -> None:
    print(f"MACHINE_SEED={SEED}")  # shown with a failure
    machine = Machine(shop, random.Random(SEED))
    await machine.open()
    for number in range(1, STEPS + 1):
        await machine.step()
        await machine.check()
        if number % REST_EVERY == 0:
            await machine.rest()
    if STEPS >= 1000:
        assert {entry.split(" (")[0] for entry in machine.log} == set(ACTIONS)
    assert await shop.sql("select count(*) from payments") != [(0,)]
