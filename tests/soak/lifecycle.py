"""Ninety days of a studio over a change of clocks, its workers killed and its vendors failing now and then.

`python -m tests.soak.lifecycle`, a part of `make soak`: LIFECYCLE_DAYS says how many days (90), SOAK_SEED repeats the
dice of another run. Prints one JSON object a line; ends non-zero where somebody was told something twice, or not exactly
what a model says that knows the domain and what was done (tests/soak/life).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core import clock
from tests.soak.life import standing, verdict, world
from tests.soak.life.clockwork import Clockwork
from tests.soak.life.expected import Expected
from tests.soak.life.expected_packs import expected_packs
from tests.soak.life.expected_seats import expected_seats
from tests.soak.life.expected_sessions import expected_sessions
from tests.soak.life.facts import Facts, facts
from tests.soak.life.history import History
from tests.soak.life.verdict import Judge
from tests.soak.life.ways import Ways
from tests.soak.life.wishes import WEIGHTS, Wishes
from tests.soak.life.world import World

ERROR_RATE = 0.05
FAULTS = ((500, False), (500, True), (503, True), (429, False))
DOWNTIMES = (timedelta(minutes=25), timedelta(hours=7), timedelta(hours=30), timedelta(days=3))
END = timedelta(hours=1)
SHOWN = 12


@dataclass(frozen=True)
class Size:
    """How much happens."""

    days: int = 90
    mentors: int = 10
    students: int = 60
    kills: int = 20
    downtimes: int = 6
    moments: int = 4  # a day, at each of which several things are done
    deeds: int = 5
    start_with: int = 40  # who gets a pack on the first day
    workers: int = 2


@dataclass
class Life:
    """One run."""

    world: World
    size: Size
    seed: int
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.deeds = Wishes(self.world, self.rng, self.history)
        self.clockwork = Clockwork(
            self.world.settings,
            self.world.sandbox,
            self.world.database,
            random.Random(self.seed + 1),
            self.size.workers,
        )

    async def play(self) -> AsyncIterator[dict[str, Any]]:
        """Live through all days; tells how each tenth went, then the verdict."""
        began = world.begin(self.size.days, clock.now())
        await asyncio.to_thread(self.world.sandbox.control.set_clock, began.isoformat(), jump=True)
        await world.populate(self.world, self.rng, self.size.mentors, self.size.students)
        fates = self._fates()
        async with self.clockwork.running():
            await self._first_day()
            for day in range(self.size.days):
                await self._day(began + timedelta(days=day), fates[day * self.size.moments :])
                if (day + 1) % max(1, self.size.days // 10) == 0:
                    yield {"day": day + 1, "done": len(self.history.events), "kills": self.clockwork.kills}
            self.world.sandbox.control.chaos()
            await self.clockwork.advance(max(clock.now(), began + timedelta(days=self.size.days)) + END)
        yield await self.judged()

    async def _first_day(self) -> None:
        for _ in range(self.size.start_with):
            await self.deeds.attempt("first_pack")
        for _ in range(self.size.start_with // 3):
            await self.deeds.attempt("link")

    async def _day(self, midday: datetime, fates: list[str]) -> None:
        self._disturb()
        seconds = sorted(self.rng.uniform(0, 86_400) for _ in range(self.size.moments))
        for second, fate in zip(seconds, fates, strict=False):
            target = max(midday + timedelta(seconds=second), clock.now() + timedelta(seconds=1))
            if fate == "kill":
                await self.clockwork.advance_while_killing(target)
            else:
                await self.clockwork.advance(target)
            if fate == "downtime":
                async with self.clockwork.nobody_works(self.rng.choice(DOWNTIMES)):
                    await self.deeds.some(WEIGHTS, self.size.deeds)
            await self.deeds.some(WEIGHTS, self.size.deeds)

    def _fates(self) -> list[str]:
        """At which of all moments a worker is killed, and at which nobody works for a while."""
        moments = self.size.days * self.size.moments
        fates = ["kill"] * self.size.kills + ["downtime"] * self.size.downtimes
        fates += [""] * (moments - len(fates))
        self.rng.shuffle(fates)
        return fates

    def _disturb(self) -> None:
        for vendor in ("resend", "discord"):
            status, after = self.rng.choice(FAULTS)
            dial = {
                "error_rate": ERROR_RATE,
                "status": status,
                "after": after,
                "seed": self.rng.randrange(1 << 30),
            }
            self.world.sandbox.control.chaos(vendor, **dial)

    async def judged(self) -> dict[str, Any]:
        """What is to be said of it all."""
        found = await facts(self.world.database, clock.now())
        control = self.world.sandbox.control
        mails, messages = control.mailbox(), [one for one in control.discord_messages() if one["nonce"]]
        judge = Judge(Ways.of(self.history), self.clockwork.gaps, found.now)
        wanted = verdict.normal(self.expected(found, judge))
        differences = judge.differences(wanted, verdict.tellings(found))
        twice = verdict.doubled(found, mails, messages)
        given = [event.seat_id for event in self.history.of("seat granted")]
        wrong = await standing.found(self.world.database, before=found.now - timedelta(hours=2), given=given)
        linked = {event.discord_id for event in self.history.of("link")}
        members = [one for one in control.call("GET", "/discord/members")["items"] if one["id"] in linked]
        wrong += await standing.roles(
            self.world.database, members, self.world.settings.discord_mentee_role_id
        )
        wrong += [f"unfinished: {row.type} {row.payload} {row.last_error}" for row in found.unfinished]
        wrong += [f"not recorded: {row.payload}" for row in found.unrecorded]
        return self._told(found, differences, twice, wrong, len(mails), len(messages))

    def expected(self, found: Facts, judge: Judge) -> list[Expected]:
        """All that the model expects."""
        return [
            *expected_sessions(self.history, found),
            *expected_packs(self.history, found, judge.reached),
            *expected_seats(self.history, found),
        ]

    def _told(
        self,
        found: Facts,
        differences: list[Any],
        twice: list[str],
        wrong: list[str],
        mails: int,
        messages: int,
    ) -> dict[str, Any]:
        outcomes = Counter(f"{row.channel} {verdict.outcome(row)}" for row in found.deliveries)
        facts_ = {
            "days": self.size.days,
            "deeds": dict(sorted(Counter(event.what for event in self.history.events).items())),
            "refused": sum(self.history.refused.values()),
            "kills": self.clockwork.kills,
            "downtimes": len(self.clockwork.gaps),
            "told": len(found.deliveries),
            "outcomes": dict(sorted(outcomes.items())),
            "kinds": len({row.kind for row in found.deliveries}),
            "mails": mails,
            "messages": messages,
            "retried": sum(row.attempts > 1 for row in found.deliveries),
            "faults": sum(bool(one["chaos"]) for one in self.world.sandbox.control.requests()),
            "doubled": len(twice),
            "differences": len(differences),
            "wrong": len(wrong),
        }
        shown = {"twice": twice[:SHOWN], "differs": differences[:SHOWN], "wrongs": wrong[:SHOWN]}
        return facts_ | {name: some for name, some in shown.items() if some} | {"ok": is_good(facts_)}


def is_good(told: dict[str, Any]) -> bool:
    """True if something happened and nobody was told anything twice, too little or too much."""
    return bool(told["told"]) and not (told["doubled"] or told["differences"] or told["wrong"])


async def lifecycle(seed: int, days: int) -> bool:
    """A whole run; True if all is well."""
    began, good = time.monotonic(), False
    async with world.own_studio() as studio:
        async for told in Life(studio, Size(days=days), seed).play():
            good = bool(told.get("ok"))
            print(json.dumps({"seconds": round(time.monotonic() - began, 1), **told}), flush=True)
    return good


def main() -> int:
    """Returns the exit code."""
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(1 << 32))
    days = int(os.environ.get("LIFECYCLE_DAYS") or 90)
    print(json.dumps({"soak": "lifecycle", "seed": seed, "days": days}), flush=True)
    return 0 if asyncio.run(lifecycle(seed, days)) else 1


if __name__ == "__main__":
    sys.exit(main())
