"""The slot engine: which times a student may book with a mentor, and why not the others. Pure.

Instants are epoch seconds in UTC, spans half-open (start, end); `now` is business time, an argument.
Rules that people write are wall time in the mentor's zone (docs: domain, "Booking").

A *candidate* is an instant at which the mentor's clock shows a multiple of the step since 00:00 of its
local date. A wall time in a gap is never shown, so it is no candidate; one in a fold is shown twice, and
both are. Each reason to refuse candidates is a set of times that the session, or the session with its
buffers, must not touch. `sift` takes the reasons one after another, in the order of `Reason`, and lets
each take away its candidates; what is left is offered. The list, the explanation and the check of a
single start are all read off that one pass: offered if and only if bookable.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from itertools import repeat
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from app.booking.zones import DAY, ERA_END, ERA_START, Stretch, spans_of_dates, stretches
from app.mentors.hours import WEEKDAYS, WHOLE_DAY, WallInterval

Span: TypeAlias = tuple[int, int]
Intervals: TypeAlias = tuple[WallInterval, ...]
Week: TypeAlias = tuple[tuple[int, Intervals], ...]
Dates: TypeAlias = tuple[tuple[date, Intervals], ...]
Key = TypeVar("Key")

Reason: TypeAlias = Literal[
    "no_hours",  # the mentor keeps no working hours and has no calendar connected
    "away",  # touches a day on which the mentor is away
    "outside_hours",  # some minute of the session lies outside the hours or overrides
    "too_soon",  # starts before now + notice
    "too_far",  # starts at now + horizon or later
    "past_pack_end",  # starts when the pack is no longer valid
    "booked",  # with its buffers it meets the blocked range of another session
    "busy",  # meets a busy window of the mentor's calendar
    "buffer",  # only its buffers meet a busy window
    "own_session",  # the student has a session then, with whomever
]

_AROUND_THE_CLOCK: Week = tuple((weekday, (WHOLE_DAY,)) for weekday in WEEKDAYS)


class Slot(NamedTuple):
    """A time on offer: start and end of the session, without buffers."""

    start: int
    end: int


class Closed(NamedTuple):
    """A time not on offer, and the first reason that applies."""

    start: int
    end: int
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a mentor has set.

    `hours`: ISO weekday 1 (Monday) to 7 -> wall intervals in minutes of the day; a weekday left out is
    closed. None: the mentor keeps no hours, and every time is inside if a calendar is connected.
    `overrides`: local date -> the intervals that replace that date's hours; none = closed.
    `away`: first and last local dates on which nothing is offered, whatever hours and overrides say.
    `length_minutes` is elapsed time; `horizon_days` are days of 24 h.
    """

    time_zone: str
    hours: Mapping[int, Sequence[WallInterval]] | None
    overrides: Mapping[date, Sequence[WallInterval]] = field(default_factory=dict)
    away: Sequence[tuple[date, date]] = ()
    calendar_connected: bool = False
    notice_minutes: int = 24 * 60
    horizon_days: int = 60
    length_minutes: int = 60
    step_minutes: int = 30
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0

    def __post_init__(self) -> None:
        if min(self.length_minutes, self.step_minutes) < 1:
            raise ValueError("length and step take at least a minute")
        if (
            min(self.notice_minutes, self.horizon_days, self.buffer_before_minutes, self.buffer_after_minutes)
            < 0
        ):
            raise ValueError("notice, horizon and buffers are never negative")

    @property
    def never_open(self) -> bool:
        """Neither hours nor a calendar: there is nothing to take times from."""
        return self.hours is None and not self.calendar_connected


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What is taken, read at one moment; spans in any order, overlapping or not, empty ones ignored.

    Fractions of a second are rounded by the caller so that spans grow and the pack's end comes sooner.
    `busy`: windows of the mentor's calendar. `blocked`: stored blocked ranges of the mentor's scheduled
    sessions. `own`: the student's own scheduled sessions, start to end, with any mentor. A session that
    is being moved is left out of both by the caller. `valid_until`: end of the pack, None without limit.
    """

    busy: Sequence[Span] = ()
    blocked: Sequence[Span] = ()
    own: Sequence[Span] = ()
    valid_until: int | None = None


@dataclass(frozen=True)
class Sifted:
    """The candidates of a window: those on offer, and those that each reason took away, in the reasons' order."""

    left: list[int]
    refused: list[tuple[Reason, list[int]]]
    length: int

    @cached_property
    def offered(self) -> list[Slot]:
        """Slots on offer, sorted."""
        pairs = zip(self.left, [at + self.length for at in self.left], strict=True)
        # Slot(at, at + length) for each, at half the cost: an empty calendar offers more than a thousand.
        return list(map(tuple.__new__, repeat(Slot), pairs))

    @cached_property
    def closed(self) -> list[Closed]:
        """Candidates that are not on offer, sorted, each with its first reason."""
        length = self.length
        found = sorted([(at, at + length, reason) for reason, starts in self.refused for at in starts])
        return list(map(tuple.__new__, repeat(Closed), found))


def offered(rules: Rules, snapshot: Snapshot, now: int, start: int, end: int) -> list[Slot]:
    """Slots on offer that start in [start, end), sorted. Raises ValueError for an unknown time zone, as all do."""
    return sift(rules, snapshot, now, start, end).offered


def check(rules: Rules, snapshot: Snapshot, now: int, start: int) -> Reason | Literal["not_a_slot"] | None:
    """None if a session may start at this very instant, else the first reason why not.

    `not_a_slot`: no candidate at all, off the step or outside the years 1970 to 2100.
    """
    found = sift(rules, snapshot, now, start, start + 1)
    if found.left:
        return None
    return next((reason for reason, starts in found.refused if starts), "not_a_slot")


def blocked_range(rules: Rules, start: int) -> Span:
    """What a session from `start` on blocks: buffers included, as stored in `sessions.blocked`."""
    end = start + rules.length_minutes * 60
    return start - rules.buffer_before_minutes * 60, end + rules.buffer_after_minutes * 60


def sift(rules: Rules, snapshot: Snapshot, now: int, start: int, end: int) -> Sifted:
    """The candidates in [start, end) and what became of them."""
    start, end, length = max(start, ERA_START), min(end, ERA_END), rules.length_minutes * 60
    if start >= end:
        return Sifted([], [], length)
    left, shut = _by_hours(rules, start, end)
    if rules.never_open:
        return Sifted([], [("no_hours", sorted(left + shut))], length)
    refused: list[tuple[Reason, list[int]]] = []
    if rules.away:
        gone = _merged(_touching(spans_of_dates(rules.time_zone, rules.away, start, end + length), 0, length))
        (from_open, left), (from_shut, shut) = _split(left, gone), _split(shut, gone)
        refused.append(("away", sorted(from_open + from_shut)))
    refused.append(("outside_hours", shut))
    for reason, spans in _refusals(rules, snapshot, now, (start, end)):
        taken, left = _split(left, _merged(spans))
        refused.append((reason, taken))
    return Sifted(left, refused, length)


def _by_hours(rules: Rules, start: int, end: int) -> tuple[list[int], list[int]]:
    """The candidates in [start, end) whose session lies within the working hours, and the others; both sorted."""
    inside, outside = _hours_table(
        rules.time_zone,
        _AROUND_THE_CLOCK if rules.hours is None else _hashable(rules.hours),
        _hashable(rules.overrides),
        rules.step_minutes * 60,
        rules.length_minutes * 60,
        range(start // DAY, -(-end // DAY)),
    )
    return _within(inside, start, end), _within(outside, start, end)


@lru_cache(maxsize=512)
def _hours_table(
    time_zone: str, hours: Week, overrides: Dates, step: int, length: int, days: range
) -> tuple[list[int], list[int]]:
    """`_by_hours` for UTC days counted from 1970; step and length in seconds.

    Kept: it hangs on what mentors seldom change, not on the moment nor on what is taken.
    """
    start, end = days.start * DAY, days.stop * DAY
    shown = stretches(time_zone, start, end + length)
    shut = _touching(_shut(dict(hours), dict(overrides), shown), 0, length)
    outside, inside = _split(_candidates(shown, step, start, end), _merged(shut))
    return inside, outside


def _hashable(
    hours: Mapping[Key, Sequence[WallInterval]],
) -> tuple[tuple[Key, tuple[WallInterval, ...]], ...]:
    return tuple([(key, tuple(intervals)) for key, intervals in hours.items()])


def _within(starts: list[int], start: int, end: int) -> list[int]:
    return starts[bisect_left(starts, start) : bisect_left(starts, end)]


def _candidates(shown: Sequence[Stretch], step: int, start: int, end: int) -> list[int]:
    """Instants in [start, end) whose wall time is a multiple of the step since 00:00 of its date."""
    found: list[int] = []
    for stretch in shown:
        since = max(start, stretch.start)
        first = since + (stretch.midnight - since) % step
        found += range(first, min(end, stretch.end), step)
    return found


def _refusals(
    rules: Rules, snapshot: Snapshot, now: int, window: Span
) -> Iterator[tuple[Reason, Iterable[Span]]]:
    """Each further reason in order, with the spans of starts that it refuses within the window."""
    start, end = window
    length = rules.length_minutes * 60
    ahead, behind = rules.buffer_before_minutes * 60, length + rules.buffer_after_minutes * 60
    yield "too_soon", [(start, now + rules.notice_minutes * 60)]
    yield "too_far", [(now + rules.horizon_days * DAY, end)]
    if snapshot.valid_until is not None:
        yield "past_pack_end", [(snapshot.valid_until, end)]
    yield "booked", _touching(snapshot.blocked, ahead, behind)
    yield "busy", _touching(snapshot.busy, 0, length)
    if (ahead, behind) != (0, length):
        yield "buffer", _touching(snapshot.busy, ahead, behind)
    yield "own_session", _touching(snapshot.own, 0, length)


def _shut(
    hours: Mapping[int, Intervals], overrides: Mapping[date, Intervals], shown: Sequence[Stretch]
) -> list[Span]:
    """The times covered by the stretches at which the mentor's clock shows no working hours."""
    open_ = (
        (max(start, midnight + opens * 60), min(end, midnight + closes * 60))
        for start, end, midnight, day in shown
        for opens, closes in overrides.get(day, hours.get(day.isoweekday(), ()))
    )
    shut: list[Span] = []
    since = shown[0].start
    for opens, closes in _merged(open_):
        shut.append((since, opens))
        since = closes
    shut.append((since, shown[-1].end))
    return shut


def _touching(spans: Iterable[Span], before: int, after: int) -> list[Span]:
    """The starts `at` for which [at - before, at + after) overlaps one of the spans."""
    return [(start - after + 1, end + before) for start, end in spans if start < end]


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same instants as sorted spans that neither overlap nor adjoin; empty ones are gone."""
    merged: list[Span] = []
    since, until = 0, 0
    for start, end in sorted(spans):
        if start >= end:
            continue
        if merged and start <= until:
            until = max(until, end)
            merged[-1] = since, until
        else:
            since, until = start, end
            merged.append((start, end))
    return merged


def _split(starts: list[int], spans: list[Span]) -> tuple[list[int], list[int]]:
    """Sorted starts as (those within the spans, the others); the spans are merged."""
    if not spans:
        return [], starts
    within: list[int] = []
    others: list[int] = []
    reached = 0
    for start, end in spans:
        first = bisect_left(starts, start, reached)
        others += starts[reached:first]
        reached = bisect_left(starts, end, first)
        within += starts[first:reached]
    others += starts[reached:]
    return within, others
