"""The chaos dial: how each vendor misbehaves, reproducibly when it is given a seed."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass

import msgspec

from sandbox.state import Collection, Store

Rate = bool | float


class Dial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One vendor's misbehaviour.

    Rates are 0 to 1 (true is 1). `latency_ms`: each answer takes that much longer. `error_rate` of the requests get
    `status`; with `after` the work is done all the same and only its answer is lost. `match` limits faults and
    latency to requests whose "METHOD /path" contains it, `count` to that many faults. `revoke`: Google forgets its
    grants at once, all (true) or one account's (its address); Resend and Discord refuse every key until
    the dial is reset.
    `drop_webhooks`, `duplicate_webhooks`, `shuffle_webhooks`: rates for what the vendor delivers.
    """

    latency_ms: float = 0
    error_rate: Rate = 0.0
    status: int = 500
    after: bool = False
    match: str = ""
    count: int | None = None
    drop_webhooks: Rate = 0.0
    duplicate_webhooks: Rate = 0.0
    shuffle_webhooks: Rate = 0.0
    revoke: bool | str = False
    seed: int | None = None

    def __post_init__(self) -> None:
        for name in ("error_rate", "drop_webhooks", "duplicate_webhooks", "shuffle_webhooks"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a rate from 0 to 1")
        if not 0 <= self.latency_ms <= 600_000:
            raise ValueError("latency_ms is 0 to 600000")
        if not 400 <= self.status <= 599:
            raise ValueError("status is an HTTP error, 400 to 599")
        if self.count is not None and self.count < 0:
            raise ValueError("count is 0 or more")


@dataclass(frozen=True)
class Fault:
    """An error to answer with; `after`: once the work is done."""

    status: int
    after: bool


CALM = Dial()


class Chaos:
    """The dials of all vendors. They survive a restart; their random sequences start again."""

    def __init__(self, store: Store) -> None:
        self._dials: Collection[Dial] = store.collection("chaos", Dial)
        self._dice: dict[str, random.Random] = {}
        self._turned: dict[str, asyncio.Event] = {}
        self._left: dict[str, int | None] = {name: dial.count for name, dial in self._dials.items()}

    def dial(self, vendor: str) -> Dial:
        """The vendor's dial."""
        return self._dials.get(vendor) or CALM

    def turn(self, vendor: str, dial: Dial) -> None:
        """Replace the vendor's dial."""
        self._release(vendor)
        self._dials.put(vendor, dial)
        self._dice[vendor] = random.Random(dial.seed)  # noqa: S311 - misbehaviour, not secrets
        self._left[vendor] = dial.count

    def calm(self, vendor: str) -> None:
        """Let the vendor behave again."""
        self._release(vendor)
        self._dials.drop(vendor)
        self._dice.pop(vendor, None)
        self._left.pop(vendor, None)

    def roll(self, vendor: str, rate: Rate) -> bool:
        """True at this rate."""
        return bool(rate) and self._die(vendor).random() < rate

    def latency(self, vendor: str, request: str) -> float:
        """Seconds that the answer to `request` ("METHOD /path") is held back."""
        dial = self.dial(vendor)
        return dial.latency_ms / 1000 if dial.match in request else 0.0

    async def hold(self, vendor: str, seconds: float) -> None:
        """Wait so long, or until the vendor's dial is turned."""
        if seconds:
            turned = self._turned.setdefault(vendor, asyncio.Event())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(turned.wait(), seconds)

    def fault(self, vendor: str, request: str) -> Fault | None:
        """What goes wrong with this request, if anything; counts it."""
        dial, left = self.dial(vendor), self._left.get(vendor)
        if dial.match not in request or left == 0 or not self.roll(vendor, dial.error_rate):
            return None
        if left is not None:
            self._left[vendor] = left - 1
        return Fault(dial.status, dial.after)

    def delay(self, vendor: str, at_most: float) -> float:
        """A random number of seconds up to `at_most`."""
        return self._die(vendor).uniform(0, at_most)

    def _release(self, vendor: str) -> None:
        if turned := self._turned.pop(vendor, None):
            turned.set()

    def _die(self, vendor: str) -> random.Random:
        if vendor not in self._dice:
            self._dice[vendor] = random.Random(self.dial(vendor).seed)  # noqa: S311 - as above
        return self._dice[vendor]
