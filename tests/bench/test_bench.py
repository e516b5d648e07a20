"""That measuring works, and that it fails where it must: not how fast anything is."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bench import lists
from bench.__main__ import main, missed
from bench.result import Result

PROJECT = Path(__file__).resolve().parents[2]
NAMES = {
    "slots: 31 days, 100 busy windows, working hours",
    "slots: 31 days, 100 busy windows, hours and buffers",
    "slots: 31 days, 100 busy windows, calendar only",
    "slots: 31 days, 500 busy windows, working hours",
    "slots: 31 days, 500 busy windows, hours and buffers",
    "slots: 31 days, 500 busy windows, calendar only",
    "GET /api/mentors/{id}/availability, 31 days",
    "GET /calendar, a day's fragment",
    "GET /calendar, a month's fragment",
    "POST /api/sessions",
    "booking transaction",
    "GET /admin/instructors, the first page",
    *(f"GET /admin/instructors by {way}{column}" for column in lists.COLUMNS for way in ("", "-")),
    "GET /admin/instructors/{id}/mentees, a row that opens",
    "GET /admin/instructors/csv, the first relation",
    "GET /admin/instructors/csv, memory",
}
UNITS = {"ms", "MB", "requests/s", "bookings/s"}


def result(bench: str, unit: str, ratio: float) -> Result:
    return Result(bench, ratio * 100, unit, 100, ratio, 10, 1)


async def test_every_measure_prints_its_line() -> None:
    command = [sys.executable, "-m", "bench", "--quick"]
    program = await asyncio.create_subprocess_exec(
        *command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, progress = await program.communicate()
    assert program.returncode == 0, progress.decode()
    lines = [json.loads(line) for line in out.splitlines()]
    assert Counter(line["bench"] for line in lines) == Counter(NAMES)
    for line in lines:
        assert list(line) == ["bench", "value", "unit", "baseline", "ratio", "n", "concurrency"]
        assert line["unit"] in UNITS
        assert line["n"] >= line["concurrency"] >= 1
        assert line["ratio"] == pytest.approx(line["value"] / line["baseline"], rel=0.05)


def test_a_part_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slots", "tea"]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert "no such part: tea" in said


@pytest.mark.parametrize(
    ("bench", "unit", "ratio", "good"),
    [
        ("slots: 31 days", "ms", 1.0, True),
        ("slots: 31 days", "ms", 1.01, False),
        ("GET /admin/instructors by name", "ms", 1.01, False),
        ("GET /admin/instructors/csv, memory", "MB", 0.1, True),
        ("GET /admin/instructors/csv, memory", "MB", 1.01, False),
        ("GET /calendar, a day's fragment", "requests/s", 0.25, True),
        ("GET /calendar, a day's fragment", "requests/s", 0.249, False),
        ("POST /api/sessions", "requests/s", 0.01, True),
        ("booking transaction", "bookings/s", 0.01, True),
    ],
)
def test_a_missed_target_is_named(bench: str, unit: str, ratio: float, good: bool) -> None:
    said = missed(result(bench, unit, ratio))
    assert (said is None) is good
    assert said is None or bench in said
