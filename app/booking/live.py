"""Live updates: the database says in which range a mentor's offers changed, every open page of that mentor hears it.

Each web process listens once (`app.core.listener`) and hands on to its own streams. A stream that can't keep up, and every
stream after a lost connection, is told that everything may have changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import msgspec

from app.booking.zones import ERA_END, ERA_START
from app.core.listener import Listener

logger = logging.getLogger(__name__)

CHANNEL: Final = "slots"
QUEUE_LENGTH: Final = 50


class Change(msgspec.Struct, frozen=True):
    """The offers of a mentor may have changed in [start, end), epoch seconds."""

    mentor_id: UUID
    start: int
    end: int


_Queue = asyncio.Queue[Change | None]


class Hub:
    """One process's streams, and what its listener hears for them."""

    def __init__(self, listener: Listener) -> None:
        self._streams: dict[UUID, set[_Queue]] = defaultdict(set)
        self._closed = False
        listener.on(CHANNEL, self._hear, self._missed)

    def close(self) -> None:
        """End every stream, and each that is opened from now on."""
        self._closed = True
        for queues in self._streams.values():
            for queue in queues:
                _put(queue, None)

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
