"""Days on which clocks do something, with the slots that must be offered, written by hand."""

from datetime import date

from tests.booking.dst_case import Case, Setting, clock, daily
from tests.booking.dst_cases_odd import ODD_CLOCKS

SUMMER_TIME = (
    Case(
        "New York, gap: 02:00 is never shown",
        "America/New_York",
        Setting(daily("00:00-05:00"), 60, 60),
        "2026-03-08 00:00-05:00 05:00-04:00",
        "2026-03-08 00:00-05:00 01:00-05:00 03:00-04:00 04:00-04:00",
    ),
    Case(
        "New York, gap: two hours on paper last one",
        "America/New_York",
        Setting(daily("01:30-03:30"), 60, 30),
        "2026-03-08 00:00-05:00 12:00-04:00",
        "2026-03-08 01:30-05:00",
    ),
    Case(
        "New York, gap: an override wholly inside it is no time at all",
        "America/New_York",
        Setting(daily("00:00-24:00"), 30, 30),
        "2026-03-08 00:00-05:00 2026-03-09 00:00-04:00",
        "",
        {date(2026, 3, 8): clock("02:00-03:00")},
    ),
    Case(
        "New York, gap: an override that begins inside it begins at its end",
        "America/New_York",
        Setting(daily("00:00-24:00"), 60, 60),
        "2026-03-08 00:00-05:00 2026-03-09 00:00-04:00",
        "2026-03-08 03:00-04:00",
        {date(2026, 3, 8): clock("02:00-04:00")},
    ),
    Case(
        "New York, fold: 01:00 is shown twice and offered twice",
        "America/New_York",
        Setting(daily("00:00-03:00"), 60, 60),
        "2026-11-01 00:00-04:00 12:00-05:00",
        "2026-11-01 00:00-04:00 01:00-04:00 01:00-05:00 02:00-05:00",
    ),
    Case(
        "New York, fold: one hour on paper lasts two",
        "America/New_York",
        Setting(daily("01:00-02:00"), 60, 30),
        "2026-11-01 00:00-04:00 12:00-05:00",
        "2026-11-01 01:00-04:00 01:30-04:00 01:00-05:00",
    ),
    Case(
        "New York, fold: hours that end inside it are open twice, with a break",
        "America/New_York",
        Setting(daily("00:30-01:30"), 30, 30),
        "2026-11-01 00:00-04:00 12:00-05:00",
        "2026-11-01 00:30-04:00 01:00-04:00 01:00-05:00",
    ),
    Case(
        "New York, fold: a session does not reach over that break",
        "America/New_York",
        Setting(daily("00:30-01:30"), 60, 30),
        "2026-11-01 00:00-04:00 12:00-05:00",
        "2026-11-01 00:30-04:00",
    ),
    Case(
        "New York, the last years of the century follow the same rule",
        "America/New_York",
        Setting(daily("01:00-04:00"), 60, 60),
        "2099-03-08 00:00-05:00 12:00-04:00",
        "2099-03-08 01:00-05:00 03:00-04:00",
    ),
    Case(
        "Lisbon, gap, no working hours",
        "Europe/Lisbon",
        Setting(None, 30, 30),
        "2026-03-29 00:00+00:00 04:00+01:00",
        "2026-03-29 00:00+00:00 00:30+00:00 02:00+01:00 02:30+01:00 03:00+01:00 03:30+01:00",
    ),
    Case(
        "Lisbon, nine in the morning stays nine after the end of summer time",
        "Europe/Lisbon",
        Setting(daily("09:00-11:00"), 60, 60),
        "2026-10-24 00:00+01:00 2026-10-26 00:00+00:00",
        ("2026-10-24 09:00+01:00 10:00+01:00 2026-10-25 09:00+00:00 10:00+00:00"),
    ),
    Case(
        "London, summer time all through the winter of 1970",
        "Europe/London",
        Setting(daily("09:00-11:00"), 60, 60),
        "1970-01-05 00:00+01:00 1970-01-06 00:00+01:00",
        "1970-01-05 09:00+01:00 10:00+01:00",
    ),
    Case(
        "Dublin, whose winter is the exception, gap",
        "Europe/Dublin",
        Setting(daily("00:00-03:00"), 60, 60),
        "2026-03-29 00:00+00:00 12:00+01:00",
        "2026-03-29 00:00+00:00 02:00+01:00",
    ),
    Case(
        "Dublin, whose winter is the exception, fold",
        "Europe/Dublin",
        Setting(daily("00:00-03:00"), 60, 60),
        "2026-10-25 00:00+01:00 12:00+00:00",
        "2026-10-25 00:00+01:00 01:00+01:00 01:00+00:00 02:00+00:00",
    ),
    Case(
        "Casablanca, fold at the beginning of Ramadan",
        "Africa/Casablanca",
        Setting(daily("02:00-04:00"), 60, 60),
        "2025-02-23 00:00+01:00 12:00+00:00",
        "2025-02-23 02:00+01:00 02:00+00:00 03:00+00:00",
    ),
    Case(
        "Troll, a gap of two hours",
        "Antarctica/Troll",
        Setting(daily("00:00-04:00"), 60, 60),
        "2026-03-29 00:00+00:00 12:00+02:00",
        "2026-03-29 00:00+00:00 03:00+02:00",
    ),
    Case(
        "Troll, a fold of two hours",
        "Antarctica/Troll",
        Setting(daily("00:00-04:00"), 60, 60),
        "2026-10-25 00:00+02:00 12:00+00:00",
        "2026-10-25 00:00+02:00 01:00+02:00 02:00+02:00 01:00+00:00 02:00+00:00 03:00+00:00",
    ),
    Case(
        "Lord Howe, a gap of half an hour",
        "Australia/Lord_Howe",
        Setting(daily("01:00-04:00"), 30, 30),
        "2026-10-04 00:00+10:30 12:00+11:00",
        "2026-10-04 01:00+10:30 01:30+10:30 02:30+11:00 03:00+11:00 03:30+11:00",
    ),
    Case(
        "Lord Howe, a fold of half an hour",
        "Australia/Lord_Howe",
        Setting(daily("01:00-03:00"), 30, 30),
        "2026-04-05 00:00+11:00 12:00+10:30",
        "2026-04-05 01:00+11:00 01:30+11:00 01:30+10:30 02:00+10:30 02:30+10:30",
    ),
    Case(
        "Lord Howe, full hours lie ninety minutes apart in the fold",
        "Australia/Lord_Howe",
        Setting(daily("00:00-03:00"), 60, 60),
        "2026-04-05 00:00+11:00 12:00+10:30",
        "2026-04-05 00:00+11:00 01:00+11:00 02:00+10:30",
    ),
    Case(
        "Chatham, gap at a quarter to three",
        "Pacific/Chatham",
        Setting(daily("02:00-05:00"), 30, 15),
        "2026-09-27 00:00+12:45 12:00+13:45",
        ("2026-09-27 02:00+12:45 02:15+12:45 02:30+12:45 03:45+13:45 04:00+13:45 04:15+13:45 04:30+13:45"),
    ),
    Case(
        "Chatham, fold, with steps of 45 minutes",
        "Pacific/Chatham",
        Setting(daily("02:30-04:00"), 60, 45),
        "2026-04-05 00:00+13:45 12:00+12:45",
        "2026-04-05 03:00+13:45 03:00+12:45",
    ),
)

CASES = (*SUMMER_TIME, *ODD_CLOCKS)
