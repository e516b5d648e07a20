"""The slot engine against the slow oracle, and laws that hold whatever a mentor has set.

`SLOT_EXAMPLES` sets how many situations each property is tried on; without it the comparisons with the
oracle get 300, the laws, which follow from the same rules, 60.
"""

import os
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.booking.slots import blocked_range, check, offered, sift
from tests.booking.slots_oracle import share_a_second, verdicts
from tests.booking.slots_strategies import DAY, Situation, days_of, more_taken, shifted, situations


def examples(everyday: int) -> settings:
    return settings(
        max_examples=int(os.environ.get("SLOT_EXAMPLES", everyday)),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


compared = examples(300)
lawful = examples(60)


@compared
@given(situations())
def test_offered_and_explained_as_the_oracle_says(case: Situation) -> None:
    said = verdicts(*case.arguments)
    slots, closed = offered(*case.arguments), sift(*case.arguments).closed
    length = case.rules.length_minutes * 60
    assert [slot.start for slot in slots] == [at for at, reason in said.items() if reason is None]
    assert [(at, reason) for at, _, reason in closed] == [pair for pair in said.items() if pair[1]]
    assert all(end - start == length for start, end in [*slots, *((at, end) for at, end, _ in closed)])


@compared
@given(situations(), st.lists(st.integers(0, 2 * DAY), max_size=20))
def test_check_agrees_with_the_oracle_on_and_off_the_steps(case: Situation, shifts: list[int]) -> None:
    said = verdicts(*case.arguments)
    nearby = {at + shift for at in said for shift in (-60, 0, 1)}
    anywhere = {case.start + shift for shift in shifts}
    for at in nearby | anywhere:
        if case.start <= at < case.end:
            answer = check(case.rules, case.snapshot, case.now, at)
            assert answer == said.get(at, "not_a_slot")


@lawful
@given(situations(), st.data())
def test_a_list_is_the_same_read_in_two_parts(case: Situation, data: st.DataObject) -> None:
    middle = data.draw(st.integers(case.start, case.end))
    parts = [(case.start, middle), (middle, case.end)]
    whole = sift(*case.arguments)
    read = [sift(case.rules, case.snapshot, case.now, *part) for part in parts]
    assert whole.offered == [slot for part in read for slot in part.offered]
    assert whole.closed == [time for part in read for time in part.closed]


@lawful
@given(situations(), st.sampled_from(["busy", "blocked", "own"]), more_taken)
def test_whatever_is_taken_never_adds_a_slot(
    case: Situation, kind: str, extra: list[tuple[int, int]]
) -> None:
    more = getattr(case.snapshot, kind) + shifted(extra, case.start)
    fuller = replace(case, snapshot=replace(case.snapshot, **{kind: more}))
    assert set(offered(*fuller.arguments)) <= set(offered(*case.arguments))


@lawful
@given(situations())
def test_an_absence_closes_its_days_and_nothing_else(case: Situation) -> None:
    present = replace(case, rules=replace(case.rules, away=()))
    closed = dict.fromkeys(days_of(case.rules.away), ())
    shut = replace(present, rules=replace(present.rules, overrides={**case.rules.overrides, **closed}))
    if case.rules.hours is not None or case.rules.calendar_connected:
        assert offered(*case.arguments) == offered(*shut.arguments)
    assert set(offered(*case.arguments)) <= set(offered(*present.arguments))


@lawful
@given(
    situations(),
    st.sampled_from(["notice_minutes", "buffer_before_minutes", "buffer_after_minutes"]),
    st.integers(0, 3 * 1440),
)
def test_more_notice_or_buffer_never_adds_a_slot(case: Situation, name: str, minutes: int) -> None:
    stricter = replace(case, rules=replace(case.rules, **{name: getattr(case.rules, name) + minutes}))
    assert set(offered(*stricter.arguments)) <= set(offered(*case.arguments))


@lawful
@given(situations(), st.integers(0, 5), st.integers(0, 2 * DAY))
def test_a_nearer_horizon_or_pack_end_never_adds_a_slot(case: Situation, days: int, earlier: int) -> None:
    limit = case.end if case.snapshot.valid_until is None else case.snapshot.valid_until
    rules = replace(case.rules, horizon_days=max(case.rules.horizon_days - days, 0))
    nearer = replace(case, rules=rules, snapshot=replace(case.snapshot, valid_until=limit - earlier))
    assert set(offered(*nearer.arguments)) <= set(offered(*case.arguments))


@lawful
@given(situations(), st.data())
def test_a_booked_slot_and_what_meets_it_are_gone(case: Situation, data: st.DataObject) -> None:
    before = offered(*case.arguments)
    if not before:
        return
    slot = data.draw(st.sampled_from(before))
    blocked = blocked_range(case.rules, slot.start)
    after = replace(case, snapshot=replace(case.snapshot, blocked=(*case.snapshot.blocked, blocked)))
    kept = [other for other in before if not share_a_second(blocked_range(case.rules, other.start), blocked)]
    assert slot not in kept
    assert offered(*after.arguments) == kept
    assert check(after.rules, after.snapshot, after.now, slot.start) == "booked"


@lawful
@given(situations())
def test_slots_booked_one_after_another_never_collide(case: Situation) -> None:
    taken: list[tuple[int, int]] = []
    for slot in offered(*case.arguments):
        snapshot = replace(case.snapshot, blocked=(*case.snapshot.blocked, *taken))
        if check(case.rules, snapshot, case.now, slot.start) is None:
            taken.append(blocked_range(case.rules, slot.start))
    everything = sorted([*taken, *(span for span in case.snapshot.blocked if span[0] < span[1])])
    for one in taken:
        assert sum(share_a_second(one, other) for other in everything) == 1
