"""Live updates: the database says in which range a mentor's offers changed, every open page of that mentor hears it.

Each web process listens once, past a pooler, and hands on to its own streams. A stream that can't keep up, and every
stream after a lost connection, is told that everything may have changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final
from uuid import UUID

import msgspec
import psycopg

from app.booking.zones import ERA_END, ERA_START

logger = logging.getLogger(__name__)

CHANNEL: Final = "slots"
QUEUE_LENGTH: Final = 50
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 15.0
CONNECT_SECONDS: Final = 10


class Change(msgspec.Struct, frozen=True):
    """The offers of a mentor may have changed in [start, end), epoch seconds."""

    mentor_id: UUID
    start: int
    end: int


_Queue = asyncio.Queue[Change | None]


class Hub:
    """One process's listener and its streams."""

    def __init__(self, direct_url: str) -> None:
        self._url = direct_url
        self._streams: dict[UUID, set[_Queue]] = defaultdict(set)
        self._closed = False
        self._listening = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen for as long as the block lasts; streams that are still open end with it."""
        listener = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            self.close()
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    def close(self) -> None:
        """End every stream, and each that is opened from now on."""
        self._closed = True
        for queues in self._streams.values():
            for queue in queues:
                _put(queue, None)

    async def listening(self) -> None:
        """Return once notifications are heard."""
        await self._listening.wait()

    @contextmanager
    def subscribed(self, mentor_id: UUID) -> Iterator[_Queue]:
        """A queue of the mentor's changes; None in it means the end."""
        queue: _Queue = asyncio.Queue(QUEUE_LENGTH)
        if self._closed:
            queue.put_nowait(None)
        self._streams[mentor_id].add(queue)
        try:
            yield queue
        finally:
            self._streams[mentor_id].discard(queue)
            if not self._streams[mentor_id]:
                del self._streams[mentor_id]

    @property
    def open_streams(self) -> int:
        """How many streams are open."""
        return sum(len(queues) for queues in self._streams.values())

    def publish(self, change: Change) -> None:
        """Hand a change to the mentor's streams."""
        for queue in self._streams.get(change.mentor_id, ()):
            _put(queue, change)

    async def _listen(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=CONNECT_SECONDS
                ) as connection:
                    await connection.execute(f"listen {CHANNEL}")
                    pause = FIRST_PAUSE_SECONDS
                    self._missed()
                    self._listening.set()
                    async for notification in connection.notifies():
                        self._hear(notification.payload)
            except (psycopg.Error, OSError) as error:
                logger.warning("live updates wait for the database: %s", type(error).__name__)
            self._listening.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _hear(self, payload: str) -> None:
        try:
            self.publish(msgspec.json.decode(payload, type=Change))
        except msgspec.MsgspecError:
            logger.warning("not understood on %s: %.100s", CHANNEL, payload)

    def _missed(self) -> None:
        for mentor_id in list(self._streams):
            self.publish(everything(mentor_id))


def everything(mentor_id: UUID) -> Change:
    """Any of the mentor's offers may have changed."""
    return Change(mentor_id, ERA_START, ERA_END)


def _put(queue: _Queue, change: Change | None) -> None:
    """Add to the queue; a full one is replaced by a single word about everything."""
    if queue.full():
        dropped = change
        while not queue.empty():
            dropped = queue.get_nowait() or dropped
        if dropped is not None:
            queue.put_nowait(everything(dropped.mentor_id))
        if change is not None:
            return
    queue.put_nowait(change)
