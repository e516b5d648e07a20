"""The same time every week by the mentor's clock: when that is, whether it is free, and what could be instead. Pure.

Instants are epoch seconds in UTC, `now` is business time, dates and minutes are those of the mentor's zone. The clock
keeps its time across changes of the zone's offset, so that the student's may shift; a wall time in a gap is a clash,
of one that is shown twice the first counts. The one slot engine decides each session, after those before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec

from app.booking import rules, slots
from app.booking.situation import OwnSession, PackView, Situation
from app.booking.zones import DAY, Stretch, stretches

GAP: Final = "gap"
"""Why a week clashes whose wall time the clock doesn't show."""
CHOICES: Final = 6
"""How many other times a week is offered, the nearest ones."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_ONE_WEEK: Final = timedelta(days=7)
_LAST: Final = date(2100, 12, 1)
_PROPOSED: Final = UUID(int=0)


@dataclass(frozen=True)
class Weekly:
    """A weekly time: ISO weekday, minute of the day, and the Monday of the first week."""

    weekday: int
    minute: int
    first: date

    def day(self, monday: date) -> date:
        """The date in the week that begins on that Monday."""
        return monday + timedelta(days=self.weekday - 1)


@dataclass(frozen=True)
class Week:
    """One week of a series. `usual`: the weekly time, None in a gap; `start`: what would be booked, None if nothing.

    `reason`: why the usual time, or the other one that was picked, is not on offer: a reason of the slot engine, a
    refusal's code, or `gap`. `others`: times on offer on that day or the days beside it.
    """

    monday: date
    day: date
    usual: int | None
    start: int | None
    reason: str | None
    skipped: bool
    others: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """A series week by week. `missing`: how many sessions don't fit any more, and `ends` why (a reason)."""

    weeks: tuple[Week, ...]
    missing: int
    ends: str | None

    @property
    def starts(self) -> list[int]:
        """What would be booked."""
        return [week.start for week in self.weeks if week.start is not None]

    @property
    def undecided(self) -> int:
        """Weeks that clash and wait for another time or for being skipped."""
        return sum(week.start is None and not week.skipped for week in self.weeks)


def instants(time_zone: str, day: date, minute: int) -> list[int]:
    """When the clock shows that minute of that day: never in a gap, twice in a fold, in order."""
    found = [(stretch.midnight + minute * 60, stretch) for stretch in _of_day(time_zone, day)]
    return [instant for instant, stretch in found if stretch.start <= instant < stretch.end]


def monday_of(time_zone: str, instant: int) -> date:
    """The Monday of the week in which the instant lies."""
    day = next(
        stretch.day
        for stretch in stretches(time_zone, instant, instant + 1)
        if stretch.start <= instant < stretch.end
    )
    return day - timedelta(days=day.weekday())


def first_week(situation: Situation, now: int, weekly: Weekly) -> date:
    """The Monday of the first week, from the asked one on, whose time isn't over or too soon by the mentor's notice."""
    mentor, monday = situation.mentor, weekly.first
    soonest = now + mentor.notice_minutes * 60
    while monday < _LAST and _about(mentor.time_zone, weekly.day(monday), weekly.minute) < soonest:
        monday += _ONE_WEEK
    return monday


def weekly_times(time_zone: str, starts: Sequence[int]) -> dict[tuple[int, int], set[date]]:
    """By weekday and minute the Mondays of the weeks in which that time is among the sorted `starts`."""
    found: dict[tuple[int, int], set[date]] = {}
    if not starts:
        return found
    shown = iter(stretches(time_zone, starts[0], starts[-1] + 1))
    stretch = next(shown)
    for start in starts:
        while start >= stretch.end:
            stretch = next(shown)
        day, minute = stretch.day, (start - stretch.midnight) // 60
        if len(_of_day(time_zone, day)) == 1 or instants(time_zone, day, minute)[0] == start:
            found.setdefault((day.isoweekday(), minute), set()).add(day - timedelta(days=day.weekday()))
    return found


def credit(situation: Situation, now: int) -> int:
    """How many sessions the student could still book."""
    return sum(pack.credit for pack in rules.usable(situation.packs, now))


def plan(
    situation: Situation, now: int, weekly: Weekly, count: int, choices: Mapping[date, int | None]
) -> Plan:
    """`count` sessions, never more than there is credit for, one a week.

    `choices` by Monday: another start, or None to skip the week; the series then goes on a week later. It ends where
    the mentor's horizon or the last pack does.
    """
    weeks: list[Week] = []
    left, monday, ends = min(count, credit(situation, now)), weekly.first, None
    while left and monday < _LAST:
        week, over = _week(situation, now, weekly, monday, choices)
        if over is not None:
            ends = over
            break
        weeks.append(week)
        if week.start is not None:
            situation = after(situation, now, week.start)
        left -= not week.skipped
        monday += _ONE_WEEK
    return Plan(tuple(weeks), left, ends)


def after(situation: Situation, now: int, start: int) -> Situation:
    """The situation as it is once a session at `start`, which must be bookable, is booked."""
    pack = rules.paying(situation.packs, now, start)
    if pack is None:
        raise ValueError("no pack pays for that session")
    mentor = situation.mentor
    blocked = slots.blocked_range(mentor.rules, start)
    own = OwnSession(_PROPOSED, mentor.id, pack.id, start, start + mentor.session_minutes * 60, blocked)
    return msgspec.structs.replace(
        situation,
        blocked=[*situation.blocked, blocked],
        own=[*situation.own, own],
        packs=[_spent(one) if one.id == pack.id else one for one in situation.packs],
    )


def _week(
    situation: Situation, now: int, weekly: Weekly, monday: date, choices: Mapping[date, int | None]
) -> tuple[Week, str | None]:
    """The week, and why the series is over before it, if it is."""
    zone, day = situation.mentor.time_zone, weekly.day(monday)
    usual = next(iter(instants(zone, day, weekly.minute)), None)
    about = _about(zone, day, weekly.minute) if usual is None else usual
    skipped = monday in choices and choices[monday] is None
    wanted = choices.get(monday) or usual
    reason = GAP if wanted is None else _why_not(situation, now, wanted)
    others = () if skipped else _others(situation, now, day, about, wanted)
    over = _over(situation, now, about)
    if over is not None and (skipped or (reason is not None and not others)):
        return Week(monday, day, usual, None, reason, skipped, others), over
    start = None if skipped or reason is not None else wanted
    return Week(monday, day, usual, start, None if skipped else reason, skipped, others), None


def _over(situation: Situation, now: int, about: int) -> str | None:
    """Why nothing can be booked from `about` on."""
    if about >= now + situation.mentor.horizon_days * DAY:
        return "too_far"
    until = rules.valid_until(situation.packs, now)
    return "past_pack_end" if until is not None and about >= until else None


def _why_not(situation: Situation, now: int, start: int) -> str | None:
    found = rules.refusal_at(situation, now, start, "")
    return None if found is None else found.reason or found.code


def _others(situation: Situation, now: int, day: date, about: int, wanted: int | None) -> tuple[int, ...]:
    """Starts on offer from the day before to the day after, the nearest to `about`, in order."""
    around = [_of_day(situation.mentor.time_zone, day + timedelta(days=step)) for step in (-1, 0, 1)]
    known = [stretch for stretches_ in around for stretch in stretches_]
    snapshot = situation.snapshot(rules.valid_until(situation.packs, now))
    if rules.standing(situation, now, "") is not None or not known:
        return ()
    free = slots.sift(situation.mentor.rules, snapshot, now, known[0].start, known[-1].end).left
    nearest = sorted(
        (start for start in free if start != wanted), key=lambda start: (abs(start - about), start)
    )
    return tuple(sorted(nearest[:CHOICES]))


def _about(time_zone: str, day: date, minute: int) -> int:
    """Where a wall time would lie that the clock doesn't show: as far behind the gap as it lies inside."""
    known = _of_day(time_zone, day)
    midnight = known[0].midnight if known else (day.toordinal() - _EPOCH) * DAY
    return midnight + minute * 60


@lru_cache(maxsize=4096)
def _of_day(time_zone: str, day: date) -> tuple[Stretch, ...]:
    """The stretches of a local date; none for a date that never was. Kept: everybody looks at the same days."""
    noon = (day.toordinal() - _EPOCH) * DAY + DAY // 2
    around = stretches(time_zone, noon - 2 * DAY, noon + 2 * DAY)
    return tuple([stretch for stretch in around if stretch.day == day])


def _spent(pack: PackView) -> PackView:
    return msgspec.structs.replace(pack, scheduled=pack.scheduled + 1)
