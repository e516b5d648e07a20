"""What the database calls out to this process: one connection that listens, past a pooler, and comes back when lost.

A notification is a hint and never the only place of a fact: what was called out while the connection was lost is gone,
and whoever hears is told that something may have been missed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import psycopg

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 15.0
CONNECT_SECONDS: Final = 10


class Listener:
    """Hears the channels that were named before it runs."""

    def __init__(self, direct_url: str) -> None:
        self._url = direct_url
        self._hear: dict[str, Callable[[str], None]] = {}
        self._missed: list[Callable[[], None]] = []
        self._listening = asyncio.Event()

    def on(self, channel: str, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """From the next connection on: `hear` gets each payload of `channel`; `missed` is called after every connecting.

        One hearer a channel; both are called on the loop and must not block. `hear` may raise ValueError for what it
        can't read.
        """
        self._hear[channel] = hear
        self._missed.append(missed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen for as long as the block lasts."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def listening(self) -> None:
        """Return once notifications are heard."""
        await self._listening.wait()

    async def _listen(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url,
                    autocommit=True,
                    connect_timeout=CONNECT_SECONDS,
                    keepalives_idle=30,  # who only listens notices by asking that a line has died in silence
                    keepalives_interval=10,
                    keepalives_count=3,
                ) as connection:
                    for channel in sorted(self._hear):
                        await connection.execute(f"listen {channel}")
                    pause = FIRST_PAUSE_SECONDS
                    for missed in self._missed:
                        missed()
                    self._listening.set()
                    async for notification in connection.notifies():
                        self._hand_on(notification)
            except (psycopg.Error, OSError) as error:
                logger.warning("what the database calls out isn't heard: %s", type(error).__name__)
            self._listening.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _hand_on(self, notification: psycopg.Notify) -> None:
        """What a hearer can't read must not make the process deaf."""
        try:
            self._hear[notification.channel](notification.payload)
        except ValueError:
            logger.exception("a notification on %s is passed by", notification.channel)
