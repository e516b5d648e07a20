"""Ending background tasks."""

from __future__ import annotations

import asyncio

PATIENCE_SECONDS = 1.0


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended; what it ended with is the task's to tell.

    Once isn't enough: before Python 3.12 `asyncio.wait_for` swallows a cancellation that arrives together with what it
    waits for, and connection pools wait by it.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
