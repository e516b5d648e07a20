"""Local dates where clocks misbehave: they cover all time once, and every instant has one."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from whenever import Date, YearMonth

from app.booking import dates
from tests.booking.slots_strategies import DAY, moments


@given(moments())
def test_dates_follow_each_other_without_gap_or_overlap(moment: tuple[str, int]) -> None:
    zone, at = moment
    today = dates.date_of(at, zone)
    since, until = dates.bounds(today, zone)
    assert dates.bounds(today.add(days=1), zone)[0] == until
    assert since <= until
    assert until - since <= 2 * DAY


@given(moments())
def test_a_date_is_what_the_clock_says(moment: tuple[str, int]) -> None:
    zone, at = moment
    said = datetime.fromtimestamp(at, ZoneInfo(zone)).date()
    assert str(dates.date_of(at, zone)) == said.isoformat()


@given(moments())
def test_a_month_counts_an_instant_on_the_date_whose_bounds_hold_it(moment: tuple[str, int]) -> None:
    """Not always what the clock says: St. John's went back from 00:01 to 23:01 of the day before."""
    zone, at = moment
    month = dates.date_of(at, zone).year_month()
    counts = dates.count_by_date([at], month, zone)
    assert set(counts) == {date for week in dates.weeks(month) for date in week if date is not None}
    for date, count in counts.items():
        since, until = dates.bounds(date, zone)
        assert count == (since <= at < until)


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        ("Europe/Lisbon", "2026-10-25", 25),
        ("Europe/Lisbon", "2026-03-29", 23),
        ("America/Havana", "2024-03-10", 23),
        ("America/Havana", "2024-11-03", 25),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Kathmandu", "2026-01-01", 24),
    ],
)
def test_days_of_unusual_length(zone: str, date: str, hours: float) -> None:
    since, until = dates.bounds(Date.parse_iso(date), zone)
    assert (until - since) / 3600 == hours


def test_a_month_in_weeks() -> None:
    weeks = dates.weeks(YearMonth(2026, 11))
    assert [len(week) for week in weeks] == [7] * 6
    assert weeks[0] == [None] * 6 + [Date(2026, 11, 1)]
    assert weeks[-1][0] == Date(2026, 11, 30)
    assert weeks[-1][1:] == [None] * 6
    assert dates.next_month(YearMonth(2026, 12)) == YearMonth(2027, 1)
    assert dates.previous_month(YearMonth(2027, 1)) == YearMonth(2026, 12)


def test_slots_of_a_month_are_counted_on_the_viewers_dates() -> None:
    starts = [int(datetime(2026, 11, 24, hour, tzinfo=UTC).timestamp()) for hour in (2, 6, 14)]
    counts = dates.count_by_date(starts, YearMonth(2026, 11), "America/New_York")
    assert {date: count for date, count in counts.items() if count} == {
        Date(2026, 11, 23): 1,
        Date(2026, 11, 24): 2,
    }
