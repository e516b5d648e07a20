"""Many who ask the same at once share one answer, which was begun after each of them asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Shared(Generic[Key, Answer]):
    """For each key at most one piece of work runs and one waits; who comes meanwhile joins the one that waits.

    A hundred students after the same time cost Google two questions, not a hundred, and none of them is told
    what was true before they asked.
    """

    def __init__(self) -> None:
        self._running: dict[Key, asyncio.Task[Answer]] = {}
        self._waiting: dict[Key, asyncio.Task[Answer]] = {}

    async def run(self, key: Key, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer, or error, of a `work` that starts from now on.

        Giving up waiting doesn't stop it for others.
        """
        task = self._waiting.get(key)
        if task is None:
            task = asyncio.create_task(self._after(self._running.get(key), key, work))
            self._waiting[key] = task
        return await asyncio.shield(task)

    async def _after(
        self, before: asyncio.Task[Answer] | None, key: Key, work: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        if before is not None:
            await asyncio.wait([before])
        task = self._running[key] = self._waiting.pop(key)
        try:
            return await work()
        finally:
            if self._running.get(key) is task:
                del self._running[key]
