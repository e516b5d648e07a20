"""Working hours as a mentor may write them: what is refused, in which words, and what is kept."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mentors.hours import Fault, format_interval, merge_day, merge_hours, validate_day, validate_hours
from tests.booking.dst_case import clock

minutes = st.integers(-100, 1600)
days = st.lists(st.tuples(minutes, minutes), max_size=6)


def test_several_intervals_are_fine_in_any_order() -> None:
    assert validate_day(clock("13:30-18:00 09:00-12:00 00:00-08:00 18:00-24:00")) == []


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("12:00-09:00", "12:00–09:00 ends before it starts."),
        ("09:00-09:00", "09:00–09:00 is empty: it ends when it starts."),
        ("24:00-24:00", "24:00–24:00 is empty: it ends when it starts."),
        ("23:00-24:01", "23:00–24:01 lies outside the day, which runs from 00:00 to 24:00."),
        ("25:00-26:00", "25:00–26:00 lies outside the day, which runs from 00:00 to 24:00."),
    ],
)
def test_one_interval_is_refused_by_name(written: str, sentence: str) -> None:
    assert validate_day(clock(written)) == [Fault(0, sentence)]


def test_minutes_before_the_day_are_refused() -> None:
    (fault,) = validate_day([(-30, 60)])
    assert fault.sentence.startswith("-00:30–01:00 lies outside the day")


def test_of_two_that_overlap_the_later_in_the_day_is_refused() -> None:
    assert validate_day(clock("11:00-13:00 09:00-12:00")) == [Fault(0, "11:00–13:00 overlaps 09:00–12:00.")]


def test_the_same_interval_twice_overlaps() -> None:
    assert validate_day(clock("09:00-12:00 09:00-12:00")) == [Fault(1, "09:00–12:00 overlaps 09:00–12:00.")]


def test_an_interval_that_reaches_over_several_is_named_for_each() -> None:
    assert validate_day(clock("09:00-18:00 10:00-11:00 17:00-19:00")) == [
        Fault(1, "10:00–11:00 overlaps 09:00–18:00."),
        Fault(2, "17:00–19:00 overlaps 09:00–18:00."),
    ]


def test_every_fault_is_told_at_once_by_position() -> None:
    assert [fault.position for fault in validate_day(clock("12:00-09:00 08:00-10:00 09:00-11:00"))] == [0, 2]


def test_faults_of_a_week_by_weekday() -> None:
    week = {1: clock("09:00-12:00"), 2: clock("12:00-09:00"), 7: ()}
    assert validate_hours(week) == {2: [Fault(0, "12:00–09:00 ends before it starts.")]}


@pytest.mark.parametrize("weekday", [0, 8])
def test_only_iso_weekdays(weekday: int) -> None:
    with pytest.raises(ValueError, match=str(weekday)):
        validate_hours({weekday: clock("09:00-12:00")})


def test_adjoining_intervals_are_joined_and_sorted() -> None:
    assert merge_day(clock("13:00-18:00 09:00-12:00 12:00-13:00 20:00-21:00")) == clock(
        "09:00-18:00 20:00-21:00"
    )


def test_merged_week_leaves_out_closed_days() -> None:
    week = {2: clock("10:00-11:00 09:00-10:00"), 1: ()}
    assert merge_hours(week) == {2: clock("09:00-11:00")}


def test_intervals_read_as_people_write_them() -> None:
    assert format_interval((0, 1440)) == "00:00–24:00"


@given(days)
def test_a_day_is_valid_when_no_minute_is_taken_twice_or_out_of_range(day: list[tuple[int, int]]) -> None:
    proper = all(0 <= start < end <= 1440 for start, end in day)
    worked = [minute for start, end in day for minute in range(start, end)]
    assert (validate_day(day) == []) is (proper and len(worked) == len(set(worked)))


@given(days)
def test_merging_keeps_every_minute_and_leaves_a_pause_between(day: list[tuple[int, int]]) -> None:
    faulty = {fault.position for fault in validate_day(day)}
    valid = [interval for position, interval in enumerate(day) if position not in faulty]
    merged = merge_day(valid)
    kept = [minute for start, end in merged for minute in range(start, end)]
    assert kept == sorted(minute for start, end in valid for minute in range(start, end))
    assert all(one[1] < following[0] for one, following in pairwise(merged))
