"""That long runs are told from failed and endless ones; the runs themselves have small forms of their own."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest

from bench.soak import SOAKS, Soak, main, run
from tests.support.waiting import until

PROJECT = Path(__file__).resolve().parents[2]
MODULES = {
    "tests.soak": "tests/soak/__main__.py",
    "tests.soak.lifecycle": "tests/soak/lifecycle.py",
}
PRINTS = "import os, sys; sys.exit(os.environ['TEA_CUPS'] != '3' or os.environ['SOAK_SEED'] != sys.argv[1])"


def facts(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    assert found.pop("soak") == "tea"
    assert isinstance(found.pop("seconds"), float)
    return found


def test_a_good_run_gets_seed_and_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Soak("tea", ("-c", PRINTS, "{seed}"), "TEA_CUPS", 3), 7)
    assert facts(capsys) == {"seed": 7, "rounds": 3, "ok": True}


def test_the_number_can_be_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEA_CUPS", "3")
    assert run(Soak("tea", ("-c", PRINTS, "{seed}"), "TEA_CUPS", 500), 7)
    assert facts(capsys)["rounds"] == 3


def test_a_failed_run_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert not run(Soak("tea", ("-c", "raise SystemExit(3)"), "TEA_CUPS", 1), 7)
    assert facts(capsys) == {"seed": 7, "rounds": 1, "ok": False, "trouble": "exit code 3"}


async def test_an_endless_run_ends_with_what_it_started(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    held = tmp_path / "held"
    hold = f"import fcntl, time; f = open({str(held)!r}, 'w'); fcntl.flock(f, fcntl.LOCK_EX); time.sleep(600)"
    endless = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    assert not run(Soak("tea", ("-c", endless), "TEA_CUPS", 1), 7, most_seconds=3)
    assert facts(capsys)["trouble"] == "not done after 3 s"
    await until(lambda: is_free(held), what="that nobody is left to hold the file")


def is_free(file: Path) -> bool:
    """Whether no process holds a lock on the file."""
    with file.open("w") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_a_name_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tea"]) == 2
    assert "no such soak: tea. There are: slots" in capsys.readouterr().err


def test_what_runs_for_long_is_there() -> None:
    for soak in SOAKS:
        files = [argument for argument in soak.arguments if argument.startswith("tests/")]
        for file in files or [MODULES[soak.arguments[-1]]]:
            assert soak.variable in (PROJECT / file).read_text()
