"""Rate limits: a sliding window a minute and an hour for each policy, kept in memory or Redis."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Literal

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.core.errors import TooManyRequests
from app.core.sockets import turn_away
from app.core.web import Viewer

logger = logging.getLogger(__name__)

By = Literal["address", "user", "user or address"]


@dataclass(frozen=True)
class Policy:
    """How many requests one asker has a minute and an hour, and who counts as one asker."""

    name: str
    per_minute: int
    per_hour: int
    by: By


class Limiter:
    """Counts hits in one store. A store that is down lets requests pass, and says so in the log."""

    def __init__(self, redis_url: str, scale: float) -> None:
        if redis_url:
            storage = storage_from_string(
                f"async+{redis_url}", implementation="redispy", wrap_exceptions=True
            )
        else:
            storage = storage_from_string("async+memory://")
        self._strategy = SlidingWindowCounterRateLimiter(storage)
        self._windows = cache(lambda policy: _windows(policy, scale))

    async def hit(self, policy: Policy, asker: str) -> None:
        """Count one request. Raises TooManyRequests with the seconds to wait."""
        try:
            for window in self._windows(policy):
                if not await self._strategy.hit(window, policy.name, asker):
                    reset = (await self._strategy.get_window_stats(window, policy.name, asker)).reset_time
                    raise TooManyRequests(max(1, ceil(reset - time.time())))
        except StorageError as error:
            logger.error("rate limits are off, their store can't be reached: %s", error)


def _windows(policy: Policy, scale: float) -> tuple[RateLimitItem, RateLimitItem]:
    return (
        RateLimitItemPerMinute(max(1, int(policy.per_minute * scale))),
        RateLimitItemPerHour(max(1, int(policy.per_hour * scale))),
    )


class RateLimit(ASGIMiddleware):
    """Applies the policy that `choose(method, path template)` names; None is exempt. The method of a socket is WEBSOCKET."""

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)

    def __init__(self, limiter: Limiter, choose: Callable[[str, str], Policy | None]) -> None:
        self.limiter = limiter
        self.choose = choose

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Count, then hand on."""
        method = scope["method"] if scope["type"] == ScopeType.HTTP else "WEBSOCKET"
        policy = self.choose(method, scope["path_template"])
        if policy is not None:
            try:
                await self.limiter.hit(policy, asker(scope, policy.by))
            except TooManyRequests as error:
                if scope["type"] != ScopeType.WEBSOCKET:
                    raise
                await turn_away(scope, send, error)
                return
        await next_app(scope, receive, send)


def asker(scope: Scope, by: By) -> str:
    """The user's id or the address, as the policy counts."""
    viewer: Viewer | None = scope.get("user")
    if viewer is not None and by != "address":
        return str(viewer.id)
    return address_of(scope) or "unknown"


def address_of(scope: Scope) -> str | None:
    """Where a request comes from, as far as the server can tell (behind a proxy: what the proxy it trusts says)."""
    client = scope.get("client")
    return client[0] if client else None
