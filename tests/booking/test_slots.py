"""The demo mentor's slots, reason by reason: every limit from both sides."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from app.booking.slots import Closed, Rules, Slot, Snapshot, Span, blocked_range, check, offered, sift

HOURS = dict.fromkeys(range(1, 6), ((540, 720), (810, 1080)))
RULES = Rules(time_zone="Europe/Lisbon", hours=HOURS)
FREE = Snapshot()


def at(text: str) -> int:
    """`"Mon 09:00"`: Lisbon wall time in the week of Monday 12 January 2026, where it is UTC."""
    day, time = text.split()
    number = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].index(day)
    hours, minutes = map(int, time.split(":"))
    moment = datetime(2026, 1, 12, tzinfo=UTC) + timedelta(days=number, hours=hours, minutes=minutes)
    return int(moment.timestamp())


def span(start: str, end: str) -> tuple[int, int]:
    return at(start), at(end)


NOW = at("Mon 00:00")


def starts(rules: Rules, snapshot: Snapshot, start: str, end: str) -> list[int]:
    return [slot.start for slot in offered(rules, snapshot, NOW, at(start), at(end))]


def test_a_free_wednesday() -> None:
    times = "09:00 09:30 10:00 10:30 11:00 13:30 14:00 14:30 15:00 15:30 16:00 16:30 17:00"
    slots = offered(RULES, FREE, NOW, at("Wed 00:00"), at("Thu 00:00"))
    assert slots == [Slot(at(f"Wed {time}"), at(f"Wed {time}") + 3600) for time in times.split()]


def test_slots_carry_names() -> None:
    (slot,) = offered(RULES, FREE, NOW, at("Wed 09:00"), at("Wed 09:30"))
    assert type(slot) is Slot
    assert (slot.start, slot.end) == span("Wed 09:00", "Wed 10:00")


def test_the_range_is_half_open_and_about_starts() -> None:
    assert starts(RULES, FREE, "Wed 09:00", "Wed 10:00") == [at("Wed 09:00"), at("Wed 09:30")]
    assert starts(RULES, FREE, "Wed 09:01", "Wed 09:31") == [at("Wed 09:30")]
    assert starts(RULES, FREE, "Wed 10:00", "Wed 10:00") == []
    assert starts(RULES, FREE, "Wed 10:00", "Wed 09:00") == []


def test_explain_gives_every_other_candidate_in_order() -> None:
    closed = sift(RULES, FREE, NOW, at("Wed 11:00"), at("Wed 14:00")).closed
    assert closed == [
        Closed(*span(f"Wed {start}", f"Wed {end}"), "outside_hours")
        for start, end in [("11:30", "12:30"), ("12:00", "13:00"), ("12:30", "13:30"), ("13:00", "14:00")]
    ]


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("Wed 08:30", "outside_hours"),
        ("Wed 09:00", None),
        ("Wed 11:00", None),
        ("Wed 11:30", "outside_hours"),
        ("Sat 10:00", "outside_hours"),
        ("Wed 09:15", "not_a_slot"),
    ],
)
def test_hours(start: str, reason: str | None) -> None:
    assert check(RULES, FREE, NOW, at(start)) == reason


def test_off_by_a_second_is_no_slot() -> None:
    assert check(RULES, FREE, NOW, at("Wed 09:00") + 1) == "not_a_slot"
    assert check(RULES, FREE, NOW, at("Wed 09:00") - 1) == "not_a_slot"


def test_notice_is_kept_to_the_second() -> None:
    nine = at("Wed 09:00")
    assert check(RULES, FREE, nine - 24 * 3600, nine) is None
    assert check(RULES, FREE, nine - 24 * 3600 + 1, nine) == "too_soon"


def test_horizon_is_kept_to_the_second() -> None:
    nine, rules = at("Wed 09:00"), replace(RULES, notice_minutes=0, horizon_days=1)
    assert check(rules, FREE, nine - 24 * 3600 + 1, nine) is None
    assert check(rules, FREE, nine - 24 * 3600, nine) == "too_far"


def test_the_pack_must_be_valid_at_the_start() -> None:
    nine = at("Wed 09:00")
    assert check(RULES, Snapshot(valid_until=nine + 1), NOW, nine) is None
    assert check(RULES, Snapshot(valid_until=nine), NOW, nine) == "past_pack_end"
    assert check(RULES, Snapshot(valid_until=None), NOW, nine) is None


@pytest.mark.parametrize(
    ("taking", "reason"),
    [
        (lambda taken: Snapshot(blocked=taken), "booked"),
        (lambda taken: Snapshot(busy=taken), "busy"),
        (lambda taken: Snapshot(own=taken), "own_session"),
    ],
)
def test_back_to_back_is_free_and_a_second_over_is_not(
    taking: Callable[[list[Span]], Snapshot], reason: str
) -> None:
    ten, eleven = at("Wed 10:00"), at("Wed 11:00")
    around = [(at("Wed 08:00"), ten), (eleven, at("Wed 12:00"))]
    into_its_start = [(at("Wed 08:00"), ten + 1)]
    into_its_end = [(eleven - 1, at("Wed 12:00"))]
    said = [check(RULES, taking(taken), NOW, ten) for taken in (around, into_its_start, into_its_end)]
    assert said == [None, reason, reason]


def test_buffers_keep_away_from_busy_windows() -> None:
    rules = replace(RULES, buffer_before_minutes=15, buffer_after_minutes=10)
    window = Snapshot(busy=[span("Wed 10:00", "Wed 10:20")])
    said = [check(rules, window, NOW, at(f"Wed {time}")) for time in ("09:00", "09:30", "10:30", "11:00")]
    assert said == ["buffer", "busy", "buffer", None]


@pytest.mark.parametrize(
    ("buffer", "said"),
    [
        ("buffer_before_minutes", [None, "busy", "buffer"]),
        ("buffer_after_minutes", ["buffer", "busy", None]),
    ],
)
def test_either_buffer_counts_alone(buffer: str, said: list[str | None]) -> None:
    rules = replace(RULES, **{buffer: 10})  # type: ignore[arg-type]
    window = Snapshot(busy=[span("Wed 15:00", "Wed 15:30")])
    assert [check(rules, window, NOW, at(f"Wed {time}")) for time in ("14:00", "15:00", "15:30")] == said


def test_buffers_touch_busy_windows_without_harm() -> None:
    rules = replace(RULES, buffer_before_minutes=15, buffer_after_minutes=10)
    ten = at("Wed 10:00")
    exact = Snapshot(busy=[(ten - 3600, ten - 900), (ten + 3600 + 600, ten + 7200)])
    over = Snapshot(busy=[(ten - 3600, ten - 899)])
    under = Snapshot(busy=[(ten + 3600 + 599, ten + 7200)])
    assert [check(rules, taken, NOW, ten) for taken in (exact, over, under)] == [None, "buffer", "buffer"]


def test_buffers_keep_away_from_other_sessions_blocked_ranges() -> None:
    rules = replace(RULES, buffer_before_minutes=15, buffer_after_minutes=10)
    taken = Snapshot(blocked=[blocked_range(rules, at("Wed 14:30"))])
    said = [check(rules, taken, NOW, at(f"Wed {time}")) for time in ("13:30", "15:30", "16:00")]
    assert said == ["booked", "booked", None]


def test_buffers_need_not_lie_within_the_hours() -> None:
    rules = replace(RULES, buffer_before_minutes=60, buffer_after_minutes=60)
    assert check(rules, FREE, NOW, at("Wed 09:00")) is None


def test_the_students_own_session_needs_no_buffer() -> None:
    rules = replace(RULES, buffer_before_minutes=30, buffer_after_minutes=30)
    elsewhere = Snapshot(own=[span("Wed 10:00", "Wed 11:00")])
    assert check(rules, elsewhere, NOW, at("Wed 09:00")) is None
    assert check(rules, elsewhere, NOW, at("Wed 10:00")) == "own_session"


def test_blocked_range_holds_session_and_buffers() -> None:
    rules = replace(RULES, buffer_before_minutes=15, buffer_after_minutes=10)
    assert blocked_range(rules, at("Wed 10:00")) == span("Wed 09:45", "Wed 11:10")


def test_empty_spans_take_nothing() -> None:
    nothing = (at("Wed 10:30"), at("Wed 10:30"))
    snapshot = Snapshot(busy=[nothing], blocked=[nothing], own=[nothing])
    assert check(RULES, snapshot, NOW, at("Wed 10:00")) is None


def test_the_first_reason_wins() -> None:
    """Each limit that is lifted uncovers the next reason, in the order of `Reason`."""
    whole = [span("Sat 00:00", "Sun 00:00")]
    near = [span("Sat 09:00", "Sat 09:50")]
    ten = at("Sat 10:00")
    rules = replace(RULES, hours=None, horizon_days=0, notice_minutes=8 * 1440, buffer_before_minutes=15)
    snapshot = Snapshot(busy=whole, blocked=whole, own=whole, valid_until=ten)
    steps: list[tuple[str | None, dict[str, object], dict[str, object]]] = [
        ("no_hours", {"calendar_connected": True, "hours": HOURS}, {}),
        ("outside_hours", {"hours": None}, {}),
        ("too_soon", {"notice_minutes": 0}, {}),
        ("too_far", {"horizon_days": 60}, {}),
        ("past_pack_end", {}, {"valid_until": None}),
        ("booked", {}, {"blocked": ()}),
        ("busy", {}, {"busy": near}),
        ("buffer", {"buffer_before_minutes": 0}, {}),
        ("own_session", {}, {"own": ()}),
        (None, {}, {}),
    ]
    for reason, lifted, freed in steps:
        assert check(rules, snapshot, NOW, ten) == reason
        rules, snapshot = replace(rules, **lifted), replace(snapshot, **freed)  # type: ignore[arg-type]


def test_without_hours_a_calendar_offers_every_free_time() -> None:
    rules = replace(RULES, hours=None, calendar_connected=True)
    busy = Snapshot(busy=[span("Sat 00:00", "Sat 22:00")])
    assert starts(rules, busy, "Sat 00:00", "Sun 00:00") == [
        at(f"Sat {time}") for time in ("22:00", "22:30", "23:00", "23:30")
    ]


def test_without_hours_and_calendar_the_reason_is_no_hours() -> None:
    rules = replace(RULES, hours=None, overrides={date(2026, 1, 14): ((540, 720),)})
    assert rules.never_open
    assert offered(rules, FREE, NOW, at("Wed 00:00"), at("Thu 00:00")) == []
    closed = sift(rules, FREE, NOW, at("Wed 00:00"), at("Thu 00:00")).closed
    assert len(closed) == 48
    assert {reason for _, _, reason in closed} == {"no_hours"}


def test_hours_kept_but_empty_are_not_the_same_as_none() -> None:
    rules = replace(RULES, hours={}, calendar_connected=True)
    assert check(rules, FREE, NOW, at("Wed 10:00")) == "outside_hours"


@pytest.mark.parametrize("hours", [HOURS, None])
def test_overrides_replace_a_date(hours: dict[int, tuple[tuple[int, int], ...]] | None) -> None:
    overrides: dict[date, tuple[tuple[int, int], ...]]
    overrides = {date(2026, 1, 14): ((1200, 1290),), date(2026, 1, 15): ()}
    rules = replace(RULES, hours=hours, overrides=overrides, calendar_connected=True)
    assert starts(rules, FREE, "Wed 00:00", "Fri 00:00") == [at("Wed 20:00"), at("Wed 20:30")]


@pytest.mark.parametrize("start", [-(10**15), -1800, 4_133_980_800, 10**15])
def test_outside_the_era_nothing_is_a_slot(start: int) -> None:
    """4 133 980 800 is the first instant of 2101."""
    rules = replace(RULES, time_zone="Etc/UTC", hours=None, calendar_connected=True)
    assert check(rules, FREE, start - 86_400 * 2, start) == "not_a_slot"


def test_the_last_slot_of_the_era() -> None:
    rules = replace(RULES, time_zone="Etc/UTC", hours=None, calendar_connected=True)
    last = 4_133_980_800 - 1800
    assert offered(rules, FREE, last - 86_400 * 2, last, 10**15) == [Slot(last, last + 3600)]


def test_an_unknown_zone_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="Atlantis"):
        offered(replace(RULES, time_zone="Europe/Atlantis"), FREE, NOW, NOW, NOW + 3600)


@pytest.mark.parametrize(
    "setting",
    [
        {"length_minutes": 0},
        {"step_minutes": 0},
        {"notice_minutes": -1},
        {"horizon_days": -1},
        {"buffer_before_minutes": -1},
        {"buffer_after_minutes": -1},
    ],
)
def test_impossible_rules_are_refused(setting: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"at least a minute|never negative"):
        replace(RULES, **setting)  # type: ignore[arg-type]
