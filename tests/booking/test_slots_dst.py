"""The table of named days on which clocks do something: the engine and the oracle both against it."""

import pytest

from app.booking.slots import Rules, Snapshot, check, offered
from tests.booking.dst_case import Case, instants
from tests.booking.dst_cases import CASES
from tests.booking.slots_oracle import verdicts


def rules_of(case: Case) -> Rules:
    return Rules(
        time_zone=case.zone,
        hours=case.setting.hours,
        overrides=case.overrides,
        calendar_connected=True,
        notice_minutes=0,
        length_minutes=case.setting.length,
        step_minutes=case.setting.step,
    )


named = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@named
def test_offered_are_exactly_the_slots_written_down(case: Case) -> None:
    start, end = instants(case.window)
    slots = offered(rules_of(case), Snapshot(), start, start, end)
    assert [slot.start for slot in slots] == case.starts
    assert all(slot.end - slot.start == case.setting.length * 60 for slot in slots)


@named
def test_every_slot_written_down_is_bookable(case: Case) -> None:
    now, _ = instants(case.window)
    assert [check(rules_of(case), Snapshot(), now, start) for start in case.starts] == [None] * len(
        case.starts
    )


@named
def test_the_oracle_reads_the_table_as_people_do(case: Case) -> None:
    start, end = instants(case.window)
    said = verdicts(rules_of(case), Snapshot(), start, start, end, tick=30)
    assert [at for at, reason in said.items() if reason is None] == case.starts


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
