"""Waiting for something to become true, instead of sleeping for as long as it might take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

POLL_SECONDS = 0.02


async def until(is_so: Callable[[], bool], *, within: float = 30.0, what: str = "the condition") -> None:
    """Return as soon as `is_so()` holds. Raises TimeoutError after `within` seconds."""
    deadline = time.monotonic() + within
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not hold within {within:g} s")
        await asyncio.sleep(POLL_SECONDS)
