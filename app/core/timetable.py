"""What happens by time alone: outbox events written once a span of business time, however many workers there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Every:
    """A periodic event: `type` once in each span of `seconds` of business time, counted from midnight UTC plus
    `offset_seconds`, however many workers there are. Spans that passed while no worker ran are not made up for.
    """

    type: str
    seconds: int
    offset_seconds: int = 0

    def span(self, now: datetime) -> int:
        """The number of the span that `now` lies in."""
        return int(now.timestamp() - self.offset_seconds) // self.seconds


class Timetable:
    """Writes periodic events as their time comes; one a process."""

    def __init__(self, table: Sequence[Every]) -> None:
        self._table = table
        self._written: dict[str, int] = {}

    async def write_due(self, uow: UnitOfWork, now: datetime) -> None:
        """Emit the events whose span has begun, unless another worker has, and commit."""
        due = {every.type: every.span(now) for every in self._table}
        fresh = {type_: span for type_, span in due.items() if self._written.get(type_) != span}
        for type_, span in fresh.items():
            await uow.emit(type_, {}, key=f"every:{type_}:{span}")
        if fresh:
            await uow.commit()
            self._written |= fresh
