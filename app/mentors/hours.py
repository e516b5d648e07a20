"""Wall intervals as mentors write them: checked and put in order. Pure.

A wall interval is (start, end) in minutes of a local day, half-open, 0 <= start < end <= 1440. 1440 is
24:00; together with 00:00 of the next date it is time without a break.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

WallInterval: TypeAlias = tuple[int, int]

MINUTES_A_DAY = 24 * 60
WHOLE_DAY: WallInterval = (0, MINUTES_A_DAY)
WEEKDAYS = range(1, 8)
"""ISO: 1 is Monday, 7 is Sunday."""


class Fault(NamedTuple):
    """What is wrong with one interval of a day: its position as written, and a sentence that names it."""

    position: int
    sentence: str


def validate_hours(hours: Mapping[int, Sequence[WallInterval]]) -> dict[int, list[Fault]]:
    """Faults by ISO weekday; days without fault are left out, so empty means that all is well.

    Raises ValueError if a key is no ISO weekday: a form can't say that, only a program.
    """
    strange = [weekday for weekday in hours if weekday not in WEEKDAYS]
    if strange:
        raise ValueError(f"not an ISO weekday: {strange[0]}")
    faults = {weekday: validate_day(intervals) for weekday, intervals in hours.items()}
    return {weekday: found for weekday, found in faults.items() if found}


def validate_day(intervals: Sequence[WallInterval]) -> list[Fault]:
    """Faults of one day's intervals, by position: out of range, empty, reversed or overlapping.

    Of two that overlap the later one in the day is at fault. Adjoining ones are fine.
    """
    faults: list[Fault] = []
    sound: list[tuple[WallInterval, int]] = []
    for position, interval in enumerate(intervals):
        sentence = _fault_alone(interval)
        if sentence is None:
            sound.append((interval, position))
        else:
            faults.append(Fault(position, sentence))
    return sorted(faults + _overlaps(sorted(sound)))


def merge_hours(hours: Mapping[int, Sequence[WallInterval]]) -> dict[int, tuple[WallInterval, ...]]:
    """`merge_day` for each weekday; days without intervals are left out."""
    return {weekday: merge_day(hours[weekday]) for weekday in sorted(hours) if hours[weekday]}


def merge_day(intervals: Iterable[WallInterval]) -> tuple[WallInterval, ...]:
    """Valid intervals of one day, sorted, adjoining ones joined."""
    merged: list[WallInterval] = []
    for start, end in sorted(intervals):
        if merged and merged[-1][1] == start:
            merged[-1] = merged[-1][0], end
        else:
            merged.append((start, end))
    return tuple(merged)


def format_interval(interval: WallInterval) -> str:
    """As people read it: `09:00–12:00`, also for times outside the day (`-00:30–25:00`)."""
    return "–".join(_clock(minute) for minute in interval)


def _fault_alone(interval: WallInterval) -> str | None:
    start, end = interval
    name = format_interval(interval)
    if start < 0 or end < 0 or start > MINUTES_A_DAY or end > MINUTES_A_DAY:
        return f"{name} lies outside the day, which runs from 00:00 to 24:00."
    if start == end:
        return f"{name} is empty: it ends when it starts."
    if start > end:
        return f"{name} ends before it starts."
    return None


def _overlaps(ordered: list[tuple[WallInterval, int]]) -> list[Fault]:
    """Faults of intervals that begin before the furthest-reaching earlier one has ended."""
    faults: list[Fault] = []
    reach: WallInterval = (0, 0)
    for interval, position in ordered:
        if interval[0] < reach[1]:
            sentence = f"{format_interval(interval)} overlaps {format_interval(reach)}."
            faults.append(Fault(position, sentence))
        reach = max(reach, interval, key=lambda known: known[1])
    return faults


def _clock(minute: int) -> str:
    hours, minutes = divmod(abs(minute), 60)
    return f"{'-' if minute < 0 else ''}{hours:02}:{minutes:02}"
