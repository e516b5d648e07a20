"""The runner of `make test` believes nobody: failures, nameless skips and overruns all end it non-zero."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import suites
from tests.support.suites import Outcome, Suite

PASSES = "def test_it():\n    assert True\n"
FAILS = "def test_it():\n    assert 1 == 2\n"
SKIPS = "import pytest\ndef test_it():\n    pytest.skip('not today')\n"
SKIPS_BY_NAME = "from tests.support.skips import skip\ndef test_it():\n    skip('needs-root')\n"
BROKEN = "import nothing_of_that_name\n"
SLEEPS = "import time\ndef test_it():\n    time.sleep(60)\n"


@pytest.fixture(autouse=True)
def _own_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "LOGS", tmp_path / "logs")


def outcome_of(tmp_path: Path, *modules: str, budget: float = 60) -> Outcome:
    folder = tmp_path / "suite"
    folder.mkdir()
    for number, module in enumerate(modules):
        (folder / f"test_module_{number}.py").write_text(module)
    alone = ("-p", "no:cacheprovider", "--rootdir", str(folder), "-c", os.devnull)
    command = (sys.executable, "-m", "pytest", *alone, str(folder))
    return suites.run(
        Suite("tried", command, budget, counts_tests=True, env={"PYTHONPATH": str(suites.PROJECT)})
    )


def test_passing_tests_are_counted(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, PASSES, PASSES, SKIPS_BY_NAME)
    assert (outcome.passed, outcome.failed, outcome.skipped) == (2, 0, 1)
    assert outcome.is_good


@pytest.mark.parametrize(
    ("module", "words"),
    [(SKIPS, "skipped without a named reason"), ("", "no test ran"), (FAILS, ""), (BROKEN, "")],
)
def test_what_is_not_good_is_not_called_good(tmp_path: Path, module: str, words: str) -> None:
    outcome = outcome_of(tmp_path, module)
    assert not outcome.is_good
    assert outcome.failed == 1 or words in outcome.trouble[0]


def test_too_slow_is_not_good_and_far_too_slow_is_ended(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, SLEEPS, budget=0.5)
    assert not outcome.is_good
    assert outcome.seconds < 30
    assert "twice its budget" in outcome.trouble[0]


def test_the_run_ends_with_the_plain_counts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests", "format", "--no-such-suite"],
        cwd=suites.PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "no such suite: --no-such-suite" in done.stderr
    done = subprocess.run(
        [sys.executable, "-m", "tests", "format"],
        cwd=suites.PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1] in {"1 passed, 0 failed, 0 skipped", "0 passed, 1 failed, 0 skipped"}
    assert (done.returncode == 0) == done.stdout.splitlines()[-1].startswith("1 passed")
