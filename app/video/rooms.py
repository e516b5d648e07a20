"""The rooms of one web process: which seats are taken here, and what they hear.

The two of a session may be served by different processes, and one person's tabs, too; so everything is called out
through the database, and everybody hears everything in the same order, their own words included.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from app.booking.attendance import UNSEEN
from app.core.listener import Listener
from app.video import frames
from app.video.seats import Say, Seat, Step
from app.video.words import CHANNEL, Ear, Word

logger = logging.getLogger(__name__)

QUEUE_LENGTH: Final = 500


@dataclass(frozen=True)
class Pace:
    """How long things take: until the first word, between two looks at the database, until a stay counts as lost.

    A page may send `burst` frames at once, and `frames_per_second` for long.
    """

    join_seconds: float = 10.0
    beat_seconds: float = 10.0
    lost_after: timedelta = UNSEEN
    burst: int = 200
    frames_per_second: float = 20.0


@dataclass(frozen=True, eq=False)
class TakenSeat:
    """A seat, and what is still to be done for it."""

    seat: Seat
    steps: asyncio.Queue[Step] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))

    def put(self, step: Step) -> None:
        """One more; who can't keep up is closed and comes again."""
        if self.steps.full():
            while not self.steps.empty():
                self.steps.get_nowait()
            step = frames.OVERRUN
        self.steps.put_nowait(step)

    def hear(self, word: Word) -> None:
        """Let the seat hear a word."""
        for step in self.seat.hear(word):
            self.put(step)


class Rooms:
    """One process's taken seats, by session."""

    def __init__(self, listener: Listener, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self._taken: dict[UUID, set[TakenSeat]] = defaultdict(set)
        self._ear = Ear()
        listener.on(CHANNEL, self.hear, self.missed)

    @contextmanager
    def taken(self, seat: Seat) -> Iterator[TakenSeat]:
        """A seat that hears everything about its session from now on."""
        taken = TakenSeat(seat)
        self._taken[seat.session_id].add(taken)
        try:
            yield taken
        finally:
            self._taken[seat.session_id].discard(taken)
            if not self._taken[seat.session_id]:
                del self._taken[seat.session_id]

    @property
    def count(self) -> int:
        """How many seats are taken."""
        return sum(len(seats) for seats in self._taken.values())

    def hear(self, payload: str) -> None:
        """Hand a notification to the seats that it concerns."""
        try:
            word = self._ear.hear(payload)
        except msgspec.MsgspecError:
            logger.warning("not understood on %s: %.40s", CHANNEL, payload)
            return
        if word is not None:
            for taken in list(self._taken.get(word.session, ())):
                taken.hear(word)

    def missed(self) -> None:
        """Words may have been lost: everybody says that they are here, and asks who else is."""
        for seats in self._taken.values():
            for taken in seats:
                taken.put(Say(taken.seat.here(asking=True)))
