"""A weekly time in every zone: the mentor's wall time is kept, what is proposed can be booked, and never beyond credit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.booking import rules, series, slots
from app.booking.series import GAP, Plan, Weekly
from app.booking.situation import MentorView, PackView, SeatView, Situation
from app.booking.zones import DAY
from tests.booking.slots_strategies import ODD_DAYS, ZONES

WEEK = 7 * DAY
lawful = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ANY_HOUR = {weekday: [(0, 1440)] for weekday in range(1, 8)}


def shown(zone: str, instant: int) -> tuple[date, int]:
    """Date and minute of the day that the clock shows, by zoneinfo."""
    local = datetime.fromtimestamp(instant, ZoneInfo(zone))
    return local.date(), local.hour * 60 + local.minute


def expected(zone: str, day: date, minute: int) -> list[int]:
    """When the clock shows it, by zoneinfo: what comes back to the same wall time."""
    found = set()
    for fold in (0, 1):
        wall = datetime(
            day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=ZoneInfo(zone), fold=fold
        )
        instant = int(wall.timestamp())
        if shown(zone, instant) == (day, minute):
            found.add(instant)
    return sorted(found)


def mentor(zone: str, **more: object) -> MentorView:
    values: dict[str, object] = {
        "id": UUID(int=1),
        "name": "Inês",
        "slug": "ines",
        "time_zone": zone,
        "hours": ANY_HOUR,
        "overrides": {},
        "calendar": None,
        "mirrored_at": None,
        "notice_minutes": 0,
        "horizon_days": 90,
        "session_minutes": 60,
        "step_minutes": 30,
        "buffer_before_minutes": 0,
        "buffer_after_minutes": 0,
    }
    return MentorView(**(values | more))  # type: ignore[arg-type]


def pack(number: int, credit: int, expires_at: int) -> PackView:
    return PackView(UUID(int=100 + number), "active", False, credit + 2, credit + 1, 1, 0, expires_at)


def situation(of: MentorView, packs: list[PackView], **taken: list[tuple[int, int]]) -> Situation:
    found = Situation(
        of, taken.get("busy", []), taken.get("blocked", []), [], packs, SeatView("active", None)
    )
    return msgspec.structs.replace(found, elsewhere=taken.get("own", []))


def plan_of(zone: str, day: date, minute: int, weeks: int = 4) -> tuple[int, Plan]:
    """A plan whose second week holds that day, asked for twelve days before it."""
    now = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - 12 * DAY
    monday = day - timedelta(days=day.weekday() + 7)
    free = situation(mentor(zone), [pack(1, weeks, now + 365 * DAY)])
    return now, series.plan(free, now, Weekly(day.isoweekday(), minute, monday), weeks, {})


@pytest.mark.parametrize(("zone", "year", "month", "day"), ODD_DAYS)
def test_instants_of_odd_days(zone: str, year: int, month: int, day: int) -> None:
    for shift in (-1, 0, 1):
        about = date(year, month, day) + timedelta(days=shift)
        for minute in range(0, 1440, 15):
            assert series.instants(zone, about, minute) == expected(zone, about, minute)


@lawful
@given(st.sampled_from(ZONES), st.integers(0, 129 * 365), st.integers(0, 47))
def test_the_mentors_wall_time_is_kept(zone: str, number: int, half_hour: int) -> None:
    day, minute = date(1971, 1, 1) + timedelta(days=number), half_hour * 30
    _, plan = plan_of(zone, day, minute)
    for week in plan.weeks:
        known = expected(zone, week.day, minute)
        assert week.usual == (known[0] if known else None)
        assert week.day == week.monday + timedelta(days=day.weekday())
        if week.usual is not None:
            assert shown(zone, week.usual) == (week.day, minute)
    days = [week.day for week in plan.weeks]
    assert days == [days[0] + timedelta(days=7 * step) for step in range(4)]


CHANGES = [  # zone, the day a clock changes, a wall time then, how far the instants lie apart over it
    ("Europe/Lisbon", date(2026, 10, 25), 15 * 60, WEEK + 3600),
    ("Europe/Lisbon", date(2027, 3, 28), 15 * 60, WEEK - 3600),
    ("America/New_York", date(2026, 11, 1), 9 * 60, WEEK + 3600),
    ("Asia/Kolkata", date(2026, 11, 1), 9 * 60 + 30, WEEK),
    ("Australia/Lord_Howe", date(2026, 10, 4), 9 * 60, WEEK - 1800),
    ("Australia/Lord_Howe", date(2027, 4, 4), 9 * 60, WEEK + 1800),
    ("America/Havana", date(2027, 3, 14), 60, WEEK - 3600),
]


@pytest.mark.parametrize(("zone", "day", "minute", "apart"), CHANGES)
def test_over_a_change_of_the_clock(zone: str, day: date, minute: int, apart: int) -> None:
    _, plan = plan_of(zone, day, minute)
    assert plan.undecided == plan.missing == 0
    first, second, third, fourth = plan.starts
    assert (second - first, third - second, fourth - third) == (apart, WEEK, WEEK)


GAPS = [
    ("Europe/Lisbon", date(2027, 3, 28), 60 + 30),
    ("America/New_York", date(2027, 3, 14), 2 * 60),
    ("Australia/Lord_Howe", date(2026, 10, 4), 2 * 60),
    ("America/Havana", date(2027, 3, 14), 0),
    ("Pacific/Apia", date(2011, 12, 30), 12 * 60),
]


@pytest.mark.parametrize(("zone", "day", "minute"), GAPS)
def test_a_gap_is_a_clash_with_other_times_beside_it(zone: str, day: date, minute: int) -> None:
    now, plan = plan_of(zone, day, minute)
    week = plan.weeks[1]
    assert (week.day, week.usual, week.start, week.reason) == (day, None, None, GAP)
    assert (plan.undecided, len(plan.weeks)) == (1, 4)
    assert week.others
    assert all(abs((shown(zone, other)[0] - day).days) <= 1 for other in week.others)
    free = situation(mentor(zone), [pack(1, 4, now + 365 * DAY)])
    weekly = Weekly(day.isoweekday(), minute, plan.weeks[0].monday)
    chosen = series.plan(free, now, weekly, 4, {week.monday: week.others[0]})
    assert (chosen.undecided, chosen.weeks[1].start) == (0, week.others[0])
    paused = series.plan(free, now, weekly, 4, {week.monday: None})
    assert (paused.undecided, len(paused.weeks), len(paused.starts)) == (0, 5, 4)


FOLDS = [
    ("Europe/Lisbon", date(2026, 10, 25), 60 + 30, 3600),
    ("Australia/Lord_Howe", date(2027, 4, 4), 60 + 30, 1800),
    ("America/Havana", date(2026, 11, 1), 30, 3600),
]


@pytest.mark.parametrize(("zone", "day", "minute", "between"), FOLDS)
def test_in_a_fold_the_first_counts(zone: str, day: date, minute: int, between: int) -> None:
    both = series.instants(zone, day, minute)
    assert both[1] - both[0] == between
    _, plan = plan_of(zone, day, minute)
    assert plan.weeks[1].start == both[0]
    assert (day.isoweekday(), minute) in series.weekly_times(zone, both)
    assert series.weekly_times(zone, both[1:]) == {}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Situation, int, Weekly, int, Mapping[date, int | None]]:
    zone = draw(st.sampled_from(ZONES))
    now = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) + draw(st.integers(0, 365 * 24)) * 3600
    of = mentor(
        zone,
        hours=draw(
            st.sampled_from([ANY_HOUR, {1: [(540, 1080)], 2: [(540, 720), (810, 1080)], 7: [(0, 1440)]}])
        ),
        horizon_days=draw(st.sampled_from([10, 30, 60])),
        notice_minutes=draw(st.sampled_from([0, 1440])),
        session_minutes=draw(st.sampled_from([45, 60, 90])),
        buffer_before_minutes=draw(st.sampled_from([0, 15])),
        buffer_after_minutes=draw(st.sampled_from([0, 30])),
    )
    span = st.tuples(st.integers(0, 60 * 24), st.integers(1, 30)).map(
        lambda pair: (now + pair[0] * 3600, now + (pair[0] + pair[1]) * 3600)
    )
    spans = st.lists(span, max_size=12)
    packs = [
        pack(number, draw(st.integers(0, 4)), now + draw(st.integers(1, 60)) * DAY)
        for number in range(draw(st.integers(1, 3)))
    ]
    case = situation(of, packs, busy=draw(spans), blocked=draw(spans), own=draw(spans))
    weekly = Weekly(draw(st.integers(1, 7)), draw(st.integers(0, 47)) * 30, series.monday_of(zone, now))
    choices = {
        weekly.first + timedelta(days=7 * step): draw(
            st.none() | st.integers(0, 60 * 48).map(lambda n: now + n * 1800)
        )
        for step in draw(st.sets(st.integers(0, 6), max_size=3))
    }
    return case, now, weekly, draw(st.integers(1, 12)), choices


@lawful
@given(cases())
def test_what_is_proposed_is_what_can_be_booked(
    case: tuple[Situation, int, Weekly, int, Mapping[date, int | None]],
) -> None:
    found, now, weekly, count, choices = case
    plan = series.plan(found, now, weekly, count, choices)
    assert len(plan.starts) + plan.undecided <= min(count, series.credit(found, now))
    assert len(plan.starts) + plan.undecided + plan.missing == min(count, series.credit(found, now))
    packs = {pack.id: pack for pack in found.packs}
    for week in plan.weeks:
        wanted = choices.get(week.monday) or week.usual
        possible = wanted is not None and rules.refusal_at(found, now, wanted, "") is None
        assert (week.start is not None) == (possible and not week.skipped)
        free = rules.valid_until(found.packs, now)
        for other in week.others:
            assert slots.check(found.mentor.rules, found.snapshot(free), now, other) is None
            assert abs((shown(found.mentor.time_zone, other)[0] - week.day).days) <= 1
        if week.start is not None:
            paying = rules.paying(found.packs, now, week.start)
            assert paying is not None
            assert paying.expires_at > week.start
            found = series.after(found, now, week.start)
    for pack_ in found.packs:
        assert packs[pack_.id].scheduled <= pack_.scheduled <= pack_.remaining


@lawful
@given(cases())
def test_weekly_times_are_those_on_offer(
    case: tuple[Situation, int, Weekly, int, Mapping[date, int | None]],
) -> None:
    found, now, *_ = case
    zone, until = found.mentor.time_zone, now + 30 * DAY
    free = [slot.start for slot in slots.offered(found.mentor.rules, found.snapshot(None), now, now, until)]
    times = series.weekly_times(zone, free)
    for weekday, minute in times:
        for monday in times[weekday, minute]:
            assert expected(zone, monday + timedelta(days=weekday - 1), minute)[0] in free
    walls = {shown(zone, start) for start in free if expected(zone, *shown(zone, start))[0] == start}
    assert sum(map(len, times.values())) == len(walls)


def test_the_last_pack_and_the_horizon_end_a_series() -> None:
    now = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())
    weekly = Weekly(3, 15 * 60, date(2026, 11, 23))
    short = situation(mentor("Europe/Lisbon"), [pack(1, 4, now + 15 * DAY)])
    plan = series.plan(short, now, weekly, 4, {})
    assert (len(plan.starts), plan.missing, plan.ends) == (2, 2, "past_pack_end")
    two = situation(mentor("Europe/Lisbon"), [pack(1, 1, now + 15 * DAY), pack(2, 2, now + 40 * DAY)])
    assert len(series.plan(two, now, weekly, 9, {}).starts) == 3
    near = situation(mentor("Europe/Lisbon", horizon_days=10), [pack(1, 4, now + 90 * DAY)])
    plan = series.plan(near, now, weekly, 4, {})
    assert (len(plan.starts), plan.missing, plan.ends) == (2, 2, "too_far")
