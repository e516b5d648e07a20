"""Mentors, calendars and students made up by hypothesis, most of them around a change of some clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from app.booking.slots import Rules, Snapshot

MINUTE, HOUR, DAY = 60, 3_600, 86_400
FIRST_YEAR, LAST_YEAR = 1970, 2100

ZONES = (
    *("America/New_York", "America/Havana", "America/St_Johns", "America/Sao_Paulo", "America/Asuncion"),
    *("America/Caracas", "America/Santiago", "America/Scoresbysund", "America/Nuuk", "America/Phoenix"),
    *("America/Port-au-Prince", "America/Los_Angeles", "America/Miquelon", "Atlantic/Azores"),
    *("Europe/Lisbon", "Europe/Dublin", "Europe/London", "Europe/Berlin", "Europe/Moscow"),
    *("Europe/Istanbul", "Europe/Chisinau", "Europe/Volgograd", "Africa/Casablanca", "Africa/El_Aaiun"),
    *("Africa/Cairo", "Africa/Juba", "Africa/Sao_Tome", "Africa/Windhoek", "Antarctica/Troll"),
    *("Antarctica/Casey", "Antarctica/Macquarie", "Asia/Beirut", "Asia/Gaza", "Asia/Amman", "Asia/Tehran"),
    *("Asia/Kabul", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Colombo", "Asia/Dhaka", "Asia/Yangon"),
    *("Asia/Pyongyang", "Asia/Tokyo", "Asia/Hong_Kong", "Australia/Adelaide", "Australia/Eucla"),
    *("Australia/Lord_Howe", "Pacific/Norfolk", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia"),
    *("Pacific/Kiritimati", "Pacific/Kwajalein", "Pacific/Marquesas", "Pacific/Tongatapu", "Etc/UTC"),
)

ODD_DAYS = (
    ("Pacific/Apia", 2011, 12, 30),
    ("Pacific/Kiritimati", 1994, 12, 31),
    ("Pacific/Kwajalein", 1993, 8, 21),
    ("Pacific/Chatham", 2026, 4, 4),
    ("Asia/Pyongyang", 2018, 5, 4),
    ("Asia/Pyongyang", 2015, 8, 14),
    ("Asia/Kathmandu", 1985, 12, 31),
    ("America/St_Johns", 2010, 11, 7),
    ("America/St_Johns", 1988, 4, 3),
    ("America/Sao_Paulo", 2018, 2, 18),
    ("America/Sao_Paulo", 2018, 11, 4),
    ("America/Asuncion", 2024, 3, 24),
    ("America/Asuncion", 2024, 10, 6),
    ("America/Havana", 2024, 3, 10),
    ("America/Havana", 2024, 11, 3),
    ("America/Caracas", 2007, 12, 9),
    ("America/Scoresbysund", 2024, 3, 31),
    ("Asia/Beirut", 2023, 3, 30),
    ("Asia/Gaza", 2011, 8, 1),
    ("Africa/Cairo", 2024, 4, 25),
    ("Africa/Cairo", 2024, 10, 31),
    ("Africa/Casablanca", 2025, 2, 23),
    ("Africa/Casablanca", 2025, 4, 6),
    ("Antarctica/Troll", 2026, 3, 29),
    ("Antarctica/Troll", 2026, 10, 25),
    ("Australia/Lord_Howe", 2026, 4, 4),
    ("Australia/Lord_Howe", 1981, 3, 1),
    ("Europe/Dublin", 2026, 10, 25),
    ("Europe/Volgograd", 2020, 12, 26),
)


@dataclass(frozen=True)
class Situation:
    """One call of the engine."""

    rules: Rules
    snapshot: Snapshot
    now: int
    start: int
    end: int

    @property
    def arguments(self) -> tuple[Rules, Snapshot, int, int, int]:
        return self.rules, self.snapshot, self.now, self.start, self.end


@cache
def changes_near(zone: str, year: int) -> tuple[int, ...]:
    """The minutes of that year (in UTC) from which another offset holds, or of the last year with any."""
    if year < FIRST_YEAR:
        return ()
    return tuple(_changes(ZoneInfo(zone), year)) or changes_near(zone, year - 1)


def _changes(zone: ZoneInfo, year: int) -> Iterator[int]:
    first = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    for day in range(first, first + 366 * DAY, DAY):
        early, late = day, day + DAY
        if _offset(zone, early) == _offset(zone, late):
            continue
        while late - early > MINUTE:
            middle = (early + late) // (2 * MINUTE) * MINUTE
            same = _offset(zone, middle) == _offset(zone, early)
            early, late = (middle, late) if same else (early, middle)
        yield late


def _offset(zone: ZoneInfo, at: int) -> timedelta | None:
    return datetime.fromtimestamp(at, zone).utcoffset()


Intervals = tuple[tuple[int, int], ...]

odd_moments = st.tuples(st.sampled_from(ODD_DAYS), st.integers(0, 23))
zoned_years = st.tuples(st.sampled_from(ZONES), st.integers(FIRST_YEAR, LAST_YEAR))
minutes_of_a_year = st.integers(0, 365 * 1440 - 1)

minutes_of_day = st.one_of(
    st.integers(0, 20).map(lambda quarter: quarter * 15),  # where clocks change
    st.integers(0, 96).map(lambda quarter: quarter * 15),
    st.integers(0, 1440),
)
intervals = st.one_of(
    st.sampled_from([(0, 1440), (1380, 1440), (0, 300)]),
    st.tuples(minutes_of_day, minutes_of_day).map(lambda pair: (min(pair), max(pair))),
)
days: st.SearchStrategy[Intervals] = st.lists(intervals, max_size=3).map(tuple)
"""Intervals of a date in any order; they may overlap or be empty, which changes no set of minutes."""

hours = st.one_of(
    st.sampled_from([None, dict.fromkeys(range(1, 8), ((0, 1440),))]),
    days.map(lambda day: dict.fromkeys(range(1, 8), day)),
    st.dictionaries(st.integers(1, 7), days, min_size=4, max_size=7),
)
override_shifts: st.SearchStrategy[dict[int, Intervals]]
override_shifts = st.one_of(st.just({}), st.dictionaries(st.integers(-2, 2), days, max_size=2))
"""Overrides by their distance in days from the moment."""

absence_shifts: st.SearchStrategy[list[tuple[int, int]]]
absence_shifts = st.one_of(
    st.just([]), st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2)), min_size=1, max_size=2)
)
"""Absences by the first day's distance from the moment, and by how many days the last one is later."""

span_shifts = st.tuples(
    st.one_of(st.integers(-8, 160).map(lambda quarter: quarter * 900), st.integers(-2 * HOUR, 40 * HOUR)),
    st.one_of(st.integers(0, 12).map(lambda quarter: quarter * 900), st.integers(0, 3 * HOUR)),
).map(lambda pair: (pair[0], sum(pair)))
"""Spans by their distance from the start, on quarters of an hour or on any second, a few of them empty."""

busy = st.lists(span_shifts, min_size=1, max_size=4)
more_taken = st.lists(span_shifts, max_size=2)

rules = st.builds(
    partial(Rules, time_zone="Etc/UTC"),
    hours=hours,
    calendar_connected=st.sampled_from([True, True, False]),
    notice_minutes=st.sampled_from([0, 0, 0, 60, 17, 1440]),
    horizon_days=st.sampled_from([60, 60, 60, 3, 2, 1, 0]),
    length_minutes=st.one_of(st.sampled_from([60, 30, 90, 1, 1440, 1560]), st.integers(1, 200)),
    step_minutes=st.one_of(st.sampled_from([30, 60, 15, 20, 45, 50, 1440, 1500]), st.integers(10, 240)),
    buffer_before_minutes=st.sampled_from([0, 5, 15, 60, 181]),
    buffer_after_minutes=st.sampled_from([0, 10, 15, 45, 240]),
)
back_and_on = st.tuples(st.integers(0, 30 * 60), st.integers(0, 20 * 60))
"""How many minutes the window reaches back from the moment, and on from it."""
seconds_aside = st.sampled_from([0, 0, 0, 1, 29, 59])
now_shifts = st.one_of(st.integers(-2 * 1440, 0), st.integers(-4 * 1440, 1440))
pack_ends = st.one_of(
    st.none(), st.integers(0, 80 * HOUR), st.integers(0, 160).map(lambda number: number * 900)
)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and an instant: a day of ill repute, a change of the clock in some year, or any time."""
    kind = draw(st.integers(0, 7))
    if kind < 2:
        (zone, year, month, day), hour = draw(odd_moments)
        return zone, int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())
    zone, year = draw(zoned_years)
    if kind < 7 and changes_near(zone, year):
        return zone, draw(st.sampled_from(changes_near(zone, year)))
    return zone, int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) + MINUTE * draw(minutes_of_a_year)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    zone, moment = draw(moments())
    today = datetime.fromtimestamp(moment, ZoneInfo(zone)).date()
    overrides = {today + timedelta(days=shift): day for shift, day in draw(override_shifts).items()}
    away = [
        (today + timedelta(days=first), today + timedelta(days=first + more))
        for first, more in draw(absence_shifts)
    ]
    back, on = draw(back_and_on)
    aside = draw(seconds_aside)
    start = moment - back * MINUTE + aside
    pack_end = draw(pack_ends)
    snapshot = Snapshot(
        busy=shifted(draw(busy), start),
        blocked=shifted(draw(more_taken), start),
        own=shifted(draw(more_taken), start),
        valid_until=None if pack_end is None else start + pack_end,
    )
    return Situation(
        rules=replace(draw(rules), time_zone=zone, overrides=overrides, away=away),
        snapshot=snapshot,
        now=start + MINUTE * draw(now_shifts),
        start=start,
        end=moment + on * MINUTE + aside,
    )


def shifted(spans: list[tuple[int, int]], start: int) -> tuple[tuple[int, int], ...]:
    return tuple((start + since, start + until) for since, until in spans)


def days_of(ranges: Sequence[tuple[date, date]]) -> list[date]:
    return [first + timedelta(days=n) for first, last in ranges for n in range((last - first).days + 1)]
