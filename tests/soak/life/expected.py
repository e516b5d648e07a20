"""Who must be told of what: worked out from what was done and the ledger, by the domain's table alone.

Nothing here knows how the platform schedules anything. Each row of the table "After the session" is a few lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GRACE = timedelta(hours=72)
ALWAYS: Callable[[datetime], bool] = lambda at: True  # noqa: E731


@dataclass(frozen=True)
class Expected:
    """Somebody is told of something, as soon as somebody works at or after `at`.

    `holds`: whether it still is so when it is told; else it is skipped as outdated. `until`: from when on it is too
    late. What has equal `kind`, `recipient` and `subject` happened more than once. Not `sure`: what it depends on was
    changed so soon that whoever looked may have seen the one or the other.
    """

    kind: str
    recipient: UUID
    subject: tuple[Any, ...]
    at: datetime
    holds: Callable[[datetime], bool] = ALWAYS
    until: datetime | None = None
    sure: bool = True


def told(
    kind: str,
    people: Sequence[UUID],
    subject: tuple[Any, ...],
    at: datetime,
    holds: Callable[[datetime], bool] = ALWAYS,
    until: datetime | None = None,
) -> Iterator[Expected]:
    """The same for each of some people."""
    for person in people:
        yield Expected(kind, person, subject, at, holds, until)


@dataclass(frozen=True)
class Timed:
    """A row of the table that time alone brings: so long before or after something, and of use for so long."""

    kind: str
    offset: timedelta
    lasts: timedelta

    def of(
        self,
        set_at: datetime,
        anchor: datetime,
        people: Sequence[UUID],
        subject: tuple[Any, ...],
        holds: Callable[[datetime], bool],
    ) -> Iterator[Expected]:
        """Expected, unless it was due already when the anchor was set."""
        due = anchor + self.offset
        if due > set_at:
            yield from told(self.kind, people, (*subject, anchor), due, holds, due + self.lasts)


@dataclass(frozen=True)
class Step:
    """From `at` on something is `value`."""

    at: datetime
    value: Any


def as_of(steps: Sequence[Step], at: datetime, before: Any = None) -> Any:
    """What it is at an instant."""
    return next((step.value for step in reversed(steps) if step.at <= at), before)
