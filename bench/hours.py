"""The next free hour of each pair: every booking of a run takes one that was never taken before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bench.people import Pair

FIRST = timedelta(days=2)
"""From now to the first hour: more than a mentor's notice."""


class Hours:
    """Counts the hours that each pair has taken, one after another from two days after `now` on."""

    def __init__(self, now: datetime) -> None:
        self._first = now.replace(minute=0, second=0, microsecond=0) + FIRST
        self._taken: Counter[int] = Counter()

    def over(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, datetime]]:
        """Pairs in turn, without end, each with its next hour."""
        while True:
            for pair in pairs:
                yield pair, self.next(pair)

    def next(self, pair: Pair) -> datetime:
        """The pair's next hour, taken from now on."""
        self._taken[pair.number] += 1
        return self._first + timedelta(hours=self._taken[pair.number])
