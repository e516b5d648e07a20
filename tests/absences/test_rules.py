"""The days of an absence against every minute of the mentor's clock, and what a form may ask for."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.absences.rules import MOST_DAYS, WEEKS, Days, checked, touches, usual_times
from app.booking.zones import DAY, ERA_END, ERA_START
from app.core.errors import Invalid
from tests.booking.slots_strategies import MINUTE, moments

HOUR = 3600
TODAY = dt.date(2026, 11, 24)
tried = settings(max_examples=150, deadline=None)


def on_clock(zone: str, *wall: int) -> int:
    return int(datetime(*wall, tzinfo=ZoneInfo(zone)).timestamp())  # type: ignore[arg-type, misc]


def within_the_era(moment: tuple[str, int]) -> bool:
    """Nothing is computed before 1970 and after 2100."""
    return ERA_START + 6 * DAY < moment[1] < ERA_END - 6 * DAY


@tried
@given(
    moments().filter(within_the_era), st.integers(-36 * 60, 36 * 60), st.integers(1, 300), st.integers(0, 3)
)
def test_a_session_counts_if_its_clock_shows_one_of_the_days(
    moment: tuple[str, int], shift: int, minutes: int, more: int
) -> None:
    zone, at = moment
    first = datetime.fromtimestamp(at, ZoneInfo(zone)).date()
    days = Days(first, first + timedelta(days=more))
    start = at + shift * MINUTE
    shown = [datetime.fromtimestamp(start + n * MINUTE, ZoneInfo(zone)).date() for n in range(minutes)]
    expected = any(days.first <= day <= days.last for day in shown)
    assert touches(days, zone, start, start + minutes * MINUTE) is expected
    span = days.span(zone)
    if expected:
        assert span is not None
        assert span[0] < start + minutes * MINUTE
        assert start < span[1]


@pytest.mark.parametrize(
    ("start", "minutes", "counts"),
    [
        ((2026, 3, 27, 23, 0), 60, False),  # ends as the first day begins
        ((2026, 3, 27, 23, 30), 60, True),
        ((2026, 3, 29, 23, 0), 60, True),  # the last hour of the day on which the clocks go forward
        ((2026, 3, 30, 0, 0), 60, False),
    ],
)
def test_days_begin_and_end_at_midnight_also_when_clocks_change(
    start: tuple[int, ...], minutes: int, counts: bool
) -> None:
    days = Days(dt.date(2026, 3, 28), dt.date(2026, 3, 29))
    at = on_clock("Europe/Lisbon", *start)
    assert touches(days, "Europe/Lisbon", at, at + minutes * 60) is counts


def test_a_date_that_never_was_has_no_time() -> None:
    assert Days(dt.date(2011, 12, 30), dt.date(2011, 12, 30)).span("Pacific/Apia") is None


def test_the_usual_time_keeps_the_clock_across_a_change() -> None:
    start = on_clock("Europe/Lisbon", 2026, 10, 20, 14, 30)
    found = usual_times(start, "Europe/Lisbon", dt.date(2026, 10, 24))
    there = [datetime.fromtimestamp(at, ZoneInfo("Europe/Lisbon")) for at in found]
    assert [(local.day, local.hour, local.minute) for local in there][:2] == [(27, 14, 30), (3, 14, 30)]
    assert found[0] - start == 7 * 24 * HOUR + HOUR
    assert len(found) == WEEKS


def test_a_usual_time_in_a_gap_is_left_out_and_of_a_fold_the_first_is_meant() -> None:
    before_gap = on_clock("Europe/Lisbon", 2026, 3, 22, 1, 30)
    assert on_clock("Europe/Lisbon", 2026, 4, 5, 1, 30) in usual_times(
        before_gap, "Europe/Lisbon", dt.date(2026, 3, 28)
    )
    days = {at // 86_400 for at in usual_times(before_gap, "Europe/Lisbon", dt.date(2026, 3, 22))}
    assert on_clock("UTC", 2026, 3, 29) // 86_400 not in days
    before_fold = on_clock("Europe/Lisbon", 2026, 10, 18, 1, 30)
    first = int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp())
    assert usual_times(before_fold, "Europe/Lisbon", dt.date(2026, 10, 18))[0] == first


def test_usual_times_lie_after_the_absence_on_the_same_weekday() -> None:
    start = on_clock("Asia/Tokyo", 2026, 11, 25, 18, 0)
    last = dt.date(2026, 12, 9)
    found = [
        datetime.fromtimestamp(at, ZoneInfo("Asia/Tokyo")) for at in usual_times(start, "Asia/Tokyo", last)
    ]
    assert [local.date() for local in found] == [last + timedelta(days=7 * n) for n in range(1, WEEKS + 1)]
    assert {(local.weekday(), local.hour) for local in found} == {(2, 18)}


def form(first: object, last: object) -> dict[str, str]:
    return {"first_day": str(first), "last_day": str(last)}


def test_a_form_names_days_from_today_on() -> None:
    assert checked(form(TODAY, TODAY), TODAY).count == 1
    longest = checked(form(TODAY, TODAY + timedelta(days=MOST_DAYS - 1)), TODAY)
    assert longest.count == MOST_DAYS


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("", "2026-11-30", "first_day"),
        ("2026-11-24", "", "last_day"),
        ("24.11.2026", "2026-11-30", "first_day"),
        ("2026-11-24", "2026-02-30", "last_day"),
        ("2026-11-24", "9999-01-01", "last_day"),
        ("2026-11-23", "2026-11-30", "first_day"),
        ("2026-11-25", "2026-11-24", "last_day"),
        ("2026-11-24", "2027-11-25", "last_day"),
        ("\x00", "x" * 10_000, "first_day"),
    ],
)
def test_other_days_are_refused_beside_their_field(first: str, last: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked(form(first, last), TODAY)
    assert field in caught.value.fields


def test_days_in_words() -> None:
    assert Days(TODAY, TODAY).said == "on Tue 24 Nov 2026"
    assert Days(TODAY, dt.date(2026, 11, 27)).said == "from Tue 24 Nov to Fri 27 Nov 2026"
    assert Days(dt.date(2026, 12, 31), dt.date(2027, 1, 1)).title == "From Thu 31 Dec 2026 to Fri 1 Jan 2027"
