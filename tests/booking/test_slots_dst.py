"""The table of named days on which clocks do something: the engine and the oracle both against it."""

from datetime import datetime

import pytest

from app.booking.slots import Rules, Snapshot, check, offered
from tests.booking.dst_cases import CASES, Case
from tests.booking.slots_oracle import verdicts


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def rules_of(case: Case) -> Rules:
    return Rules(
        time_zone=case.zone,
        hours=case.hours,
        overrides=case.overrides,
        calendar_connected=True,
        notice_minutes=0,
        length_minutes=case.length,
        step_minutes=case.step,
    )


named = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@named
def test_offered_are_exactly_the_slots_written_down(case: Case) -> None:
    start, end = map(instant, case.window)
    slots = offered(rules_of(case), Snapshot(), start, start, end)
    assert [slot.start for slot in slots] == [instant(text) for text in case.offered]
    assert all(slot.end - slot.start == case.length * 60 for slot in slots)


@named
def test_every_slot_written_down_is_bookable(case: Case) -> None:
    now = instant(case.window[0])
    assert [check(rules_of(case), Snapshot(), now, instant(text)) for text in case.offered] == [
        None for _ in case.offered
    ]


@named
def test_the_oracle_reads_the_table_as_people_do(case: Case) -> None:
    start, end = map(instant, case.window)
    said = verdicts(rules_of(case), Snapshot(), start, start, end, tick=30)
    assert [at for at, reason in said.items() if reason is None] == [instant(text) for text in case.offered]


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
