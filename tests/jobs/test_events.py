"""The tables of the jobs: whatever the product writes to the outbox, somebody performs."""

from __future__ import annotations

import re
from pathlib import Path

from app.settings import Settings
from jobs.events import EVENTS, NOTICES, periodic

APP = Path(__file__).resolve().parents[2] / "app"
TYPE = re.compile(r'"([a-z]+/[a-z]+)"')
KIND = re.compile(r'\btell\(\s*uow, "([a-z_]+)"')


def written(pattern: re.Pattern[str], near: str) -> set[str]:
    """What matches in modules of the product that contain `near`."""
    sources = [path.read_text() for path in APP.rglob("*.py")]
    return {match for source in sources if near in source for match in pattern.findall(source)}


def test_each_type_that_is_written_is_performed() -> None:
    types = {type_ for type_ in written(TYPE, ".emit(") if type_.split("/")[0] in families()}
    assert types
    assert types <= set(EVENTS)


def families() -> set[str]:
    return {type_.split("/")[0] for type_ in EVENTS}


def test_each_kind_that_is_written_is_composed() -> None:
    kinds = written(KIND, ".tell(")
    assert len(kinds) >= 20
    assert kinds <= set(NOTICES)


def test_notifications_are_written_by_the_catalogue_alone() -> None:
    """Its keys make two of a kind the same."""
    writers = {path.name for path in APP.rglob("*.py") if '"notification/send"' in path.read_text()}
    assert writers == {"telling.py"}


def test_what_comes_by_time_is_performed_and_keeps_its_pace() -> None:
    table = periodic(Settings())
    assert {every.type for every in table} <= set(EVENTS)
    assert len({every.type for every in table}) == len(table)
    assert all(every.seconds >= 60 and every.offset_seconds < every.seconds for every in table)
