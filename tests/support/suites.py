"""The suites of `make test`: what each runs, how long it may take, and how its outcome is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.skips import is_named

PROJECT = Path(__file__).resolve().parents[2]
LOGS = PROJECT / ".data" / "tests" / "logs"
OUT_OF_TIME = 2.0  # a suite is ended at this multiple of its budget
_RUNNING: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True)
class Suite:
    """A command with a budget in seconds.

    `counts_tests`: a pytest run, whose tests are counted one by one. `one_core`: one process that computes, and may
    have others beside it.
    """

    name: str
    command: tuple[str, ...]
    budget: float
    counts_tests: bool = False
    one_core: bool = False
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a suite came to; `trouble` says in words what was wrong beyond failed tests."""

    passed: int
    failed: int
    skipped: int
    seconds: float
    trouble: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Nothing failed and nothing else was wrong."""
        return self.failed == 0 and not self.trouble


def run(suite: Suite) -> Outcome:
    """Run the suite to its end; its output goes to its log file."""
    LOGS.mkdir(parents=True, exist_ok=True)
    report = LOGS / f"{suite.name}.xml"
    report.unlink(missing_ok=True)
    extra = (f"--junitxml={report}", "-o", "junit_logging=no") if suite.counts_tests else ()
    began = time.monotonic()
    code = _run_to_end(suite, extra)
    seconds = time.monotonic() - began
    trouble = _trouble(suite, code, seconds)
    if not suite.counts_tests:
        return Outcome(int(code == 0), int(code != 0), 0, seconds, trouble)
    if not report.exists():
        return Outcome(0, 1, 0, seconds, (*trouble, "pytest wrote no report"))
    return _read(report, code, seconds, trouble)


def log_of(suite: Suite) -> Path:
    """The file that holds everything the suite printed."""
    return LOGS / f"{suite.name}.log"


def _run_to_end(suite: Suite, extra: tuple[str, ...]) -> int | None:
    """The exit code; None if the suite was ended because it took far too long."""
    with log_of(suite).open("wb") as log:
        process = subprocess.Popen(
            [*suite.command, *extra],
            cwd=PROJECT,
            env={**os.environ, **suite.env},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        _RUNNING.add(process)
        try:
            return process.wait(suite.budget * OUT_OF_TIME)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end_group(process)
            _RUNNING.discard(process)


def end_running() -> None:
    """End the suites that run in other threads."""
    for process in tuple(_RUNNING):
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the suite's processes: first politely, so that servers stop."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _trouble(suite: Suite, code: int | None, seconds: float) -> tuple[str, ...]:
    if code is None:
        return (f"ended after {seconds:.0f} s, twice its budget",)
    return (f"took longer than its budget of {suite.budget:g} s",) if seconds > suite.budget else ()


def _read(report: Path, code: int | None, seconds: float, trouble: tuple[str, ...]) -> Outcome:
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - written by our own pytest
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skips = [skip for case in cases if (skip := case.find("skipped")) is not None]
    unnamed = [skip.get("message", "") for skip in skips if not is_named(skip.get("message", ""))]
    trouble += tuple(f"skipped without a named reason: {message}" for message in unnamed)
    if not cases:
        trouble += ("no test ran",)
    elif code not in (0, 1) and code is not None:
        trouble += (f"pytest ended with exit code {code}",)
    return Outcome(len(cases) - failed - len(skips), failed, len(skips), seconds, trouble)


def python(*arguments: str) -> tuple[str, ...]:
    """A command line of this environment's Python."""
    return (sys.executable, *arguments)


def program(name: str, *arguments: str) -> tuple[str, ...]:
    """A command line of a program in this environment."""
    return (str(Path(sys.executable).with_name(name)), *arguments)
