"""What a wall clock shows in a time zone, as stretches of local dates. Pure.

The zone's offset changes come from `whenever`; between two of them wall time and instants differ by a
constant, so plain integers do, and no date needs special treatment:

- a gap is where one stretch ends and the next begins later on the clock: nothing stands for it;
- a fold is two stretches of the same date whose wall times overlap: both are there;
- a date that never was (Apia, 30 December 2011) has no stretch.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from whenever import Instant, ZonedDateTime

DAY = 86_400
ERA_START = 0
"""1970-01-01T00:00Z. Before the era and from its end on nothing is computed, and nothing is offered."""
ERA_END = Instant.from_utc(2101, 1, 1).timestamp()

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Stretch(NamedTuple):
    """Time of one local date under one offset: half-open, in epoch seconds.

    `midnight` is where 00:00 of `day` lies by this stretch's offset. A clock need not show it: after a
    gap at midnight the stretch starts at 01:00, an hour after its `midnight`.
    """

    start: int
    end: int
    midnight: int
    day: date


@lru_cache(maxsize=128)
def stretches(time_zone: str, start: int, end: int) -> tuple[Stretch, ...]:
    """All of [start, end), epoch seconds within the era, cut at local midnights and offset changes.

    Sorted; each begins where the one before ends. Kept: everybody looks at the same days and months.
    Raises `whenever.TimeZoneNotFoundError` (a ValueError) for a zone that is not in the IANA database.
    """
    found = []
    for since, until, offset in _offsets_between(time_zone, start, end):
        first, last = (since + offset) // DAY, (until + offset - 1) // DAY
        for number in range(first, last + 1):
            midnight = number * DAY - offset
            day = date.fromordinal(_EPOCH_ORDINAL + number)
            found.append(Stretch(max(since, midnight), min(until, midnight + DAY), midnight, day))
    return tuple(found)


def spans_of_dates(
    time_zone: str, dates: Sequence[tuple[date, date]], start: int, end: int
) -> list[tuple[int, int]]:
    """The times of [start, end), or a little around, at which the clock shows a date of one of the ranges.

    First and last dates both belong to a range. Sorted; neighbours adjoin.
    """
    shown = stretches(
        time_zone, start // DAY * DAY, -(-end // DAY) * DAY
    )  # whole days: the same for many windows
    return [
        (stretch.start, stretch.end)
        for stretch in shown
        if any(first <= stretch.day <= last for first, last in dates)
    ]


def _offsets_between(time_zone: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(since, until, offset in seconds) for each run of one offset, covering [start, end)."""
    changes, offsets = _offset_table(time_zone)
    index = bisect_right(changes, start) - 1
    while start < end:
        index += 1
        until = min(changes[index], end) if index < len(changes) else end
        yield start, until, offsets[index - 1]
        start = until


@lru_cache(maxsize=128)
def _offset_table(time_zone: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Instants from which an offset holds, and these offsets east of UTC in seconds, for the whole era.

    The first instant is the era's start. Building takes one or two milliseconds a zone.
    """
    moment: ZonedDateTime | None = Instant.from_timestamp(ERA_START).to_tz(time_zone)
    changes: list[int] = []
    offsets: list[int] = []
    while moment is not None and moment.timestamp() < ERA_END:
        changes.append(moment.timestamp())
        offsets.append(int(moment.offset.total("seconds")))
        moment = moment.next_transition()
    return tuple(changes), tuple(offsets)
