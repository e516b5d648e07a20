"""Waits for what happens in other processes: asks until there is an answer, and says what was waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Answer = TypeVar("Answer")
SECONDS = 30.0


async def until(ask: Callable[[], Awaitable[Answer | None]], seconds: float = SECONDS) -> Answer:
    """The first answer of `ask` that isn't None. Raises AssertionError after `seconds`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = asyncio.Event()
    while (answer := await ask()) is None:
        assert loop.time() < deadline, "what was waited for did not happen"
        loop.call_later(0.1, pause.set)
        await pause.wait()
        pause.clear()
    return answer
