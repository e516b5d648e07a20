"""Rate limits: buckets by route and what the route is about, and one for all requests of the bot.

As at Discord each answer says what is left, and a 429 says how long to wait. The windows are shorter than Discord's
(5 messages in 5 s there): where business time is moved by weeks, nobody should wait for the machine's clock.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Any

from sandbox.discord.errors import limited
from sandbox.http import HttpResponse, json_answer

OF_ALL = (50, 1.0)
# route family -> (requests, seconds); None: not limited
BUCKETS: dict[str, tuple[int, float] | None] = {
    "messages": (5, 1.0),
    "reading": (10, 1.0),
    "private": (10, 1.0),
    "roles": (10, 1.0),
    "guilds": (10, 1.0),
    "users": (30, 1.0),
    "commands": (30, 1.0),
    "webhooks": (5, 1.0),
    "gateway": (10, 1.0),
    "interactions": None,
    "oauth2": None,
}


@dataclass
class _Window:
    until: float
    used: int = 0


@dataclass(frozen=True)
class Pass:
    """A request that may go on; its answer says what is left of its bucket."""

    headers: tuple[tuple[str, str], ...]

    def answer(self, body: Any, status: int = 200) -> HttpResponse:
        """The JSON answer (None: no body) with the bucket's headers."""
        return json_answer(body, status, dict(self.headers))


class Limits:
    """Counts requests; forgotten at a restart."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}

    def clear(self) -> None:
        """Let nothing have been used."""
        self._windows.clear()

    def take(self, family: str, about: str = "") -> Pass:
        """Use one request of the family's bucket for `about` (a channel, a guild). Raises DiscordError 429."""
        limit = BUCKETS[family]
        if limit is None:
            return Pass(())
        most = self._use("", *OF_ALL)
        if most[0] < 0:
            raise limited(most[1], "global")
        left, wait = self._use(f"{family}/{about}", *limit)
        headers = (
            ("x-ratelimit-bucket", hashlib.sha256(family.encode()).hexdigest()[:32]),
            ("x-ratelimit-limit", str(limit[0])),
            ("x-ratelimit-remaining", str(max(0, left))),
            ("x-ratelimit-reset", f"{time.time() + wait:.3f}"),
            ("x-ratelimit-reset-after", f"{wait:.3f}"),
        )
        if left < 0:
            raise limited(wait, "user", headers)
        return Pass(headers)

    def _use(self, name: str, most: int, seconds: float) -> tuple[int, float]:
        """What is left after this request (below 0: too many), and the seconds until all of it is there again."""
        now = time.monotonic()
        window = self._windows.get(name)
        if window is None or window.until <= now:
            window = self._windows[name] = _Window(now + seconds)
        window.used += 1
        return most - window.used, window.until - now
