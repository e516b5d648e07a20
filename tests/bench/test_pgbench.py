"""How one booking's statements become those of another one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from psycopg.types.range import Range

from bench.people import Pair
from bench.pgbench import Wording
from bench.recording import BEGIN, COMMIT, Statement

START = datetime(2027, 6, 11, 9, tzinfo=UTC)
MENTOR, STUDENT, PACK, FRESH, OTHER = (UUID(int=number) for number in range(1, 6))
FRESH_ID = "('00000000-0000-7000-8000-' || :fresh)"


@pytest.fixture
def wording() -> Wording:
    return Wording(START, {MENTOR: "mentor", STUDENT: "student", PACK: "pack"})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (MENTOR, "cast(:mentor as uuid)"),
        (FRESH, f"cast({FRESH_ID} as uuid)"),
        (START + timedelta(hours=1), "to_timestamp(cast(:at as bigint) + 3600)"),
        (START - timedelta(days=1), "to_timestamp(cast(:at as bigint) + -86400)"),
        (datetime(2026, 11, 23, tzinfo=UTC), "'2026-11-23 00:00:00+00:00'::timestamptz"),
        (7, "7"),
        (None, "NULL"),
        (True, "true"),
        ("it's", "cast('it''s' as text)"),
        ("", "cast('' as text)"),
        (str(STUDENT), "cast(:student as text)"),
        (f"at {STUDENT}:0", "cast('at ' || :student || ':0' as text)"),
    ],
)
def test_a_value(wording: Wording, value: object, written: str) -> None:
    assert wording.value(value) == written


def test_a_range_moves_with_the_start(wording: Wording) -> None:
    hour = wording.value(Range(START, START + timedelta(hours=1)))
    begin, end = "to_timestamp(cast(:at as bigint) + 0)", "to_timestamp(cast(:at as bigint) + 3600)"
    assert hour == f"tstzrange({begin}, {end}, '[)')"


def test_an_id_is_the_same_wherever_it_stands(wording: Wording) -> None:
    assert wording.value(FRESH) == f"cast({FRESH_ID} as uuid)"
    assert wording.value(OTHER) == "cast(('00000000-0000-7000-8001-' || :fresh) as uuid)"
    assert wording.value(f"booked:{FRESH}") == f"cast('booked:' || {FRESH_ID} as text)"


def test_named_and_numbered_placeholders(wording: Wording) -> None:
    assert wording.statement(Statement("select %(a)s::int % 2", {"a": 5})) == "select 5::int % 2"
    assert wording.statement(Statement("select %s, '100%%', %s", (1, 2))) == "select 1, '100%', 2"


def test_a_client_books_for_its_pair(wording: Wording) -> None:
    pair = Pair(0, MENTOR, STUDENT, PACK, "token")
    script = wording.script([BEGIN, Statement("select %(id)s", {"id": MENTOR}), COMMIT], [pair])
    assert f"(0, '{MENTOR}', '{STUDENT}', '{PACK}')" in script
    assert script.endswith("begin;\nselect cast(:mentor as uuid);\ncommit;\n")
