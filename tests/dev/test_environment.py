"""`make environment` on machines that lack something says what to install."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = PROJECT / "app" / "dev" / "environment.sh"
TOOLS = ("sh", "cmp", "awk", "rm", "cp", "cat")
TOO_OLD = "#!/bin/sh\nexit 1\n"
WITHOUT_VENV = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexit 0\n'


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder for PATH with a few tools, and no Python yet."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (programs / tool).symlink_to(found)
    return programs


def add(machine: Path, name: str, script: str) -> None:
    program = machine / name
    program.write_text(script)
    program.chmod(0o755)


def run(machine: Path) -> subprocess.CompletedProcess[str]:
    project = machine.parent / "project"
    project.mkdir(exist_ok=True)
    (project / "requirements-dev.txt").write_text("nothing==1\n")
    return subprocess.run(
        ["sh", str(SCRIPT)],
        cwd=project,
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_python_is_said_in_words(machine: Path) -> None:
    done = run(machine)
    assert done.returncode == 1
    assert "no Python 3.11 to 3.14 found" in done.stderr


def test_an_old_python_is_no_python(machine: Path) -> None:
    add(machine, "python3", TOO_OLD)
    assert "no Python 3.11 to 3.14 found" in run(machine).stderr


def test_a_python_without_venv_names_the_package_to_install(machine: Path) -> None:
    add(machine, "python3", WITHOUT_VENV)
    done = run(machine)
    assert done.returncode == 1
    assert "python3 lacks the modules venv and ensurepip" in done.stderr
    assert "python3-venv" in done.stderr


def test_an_environment_made_from_the_same_requirements_is_taken_as_it_is(machine: Path) -> None:
    made = machine.parent / "project" / ".venv" / "bin"
    made.mkdir(parents=True)
    (made / "python").symlink_to(sys.executable)
    (made.parent / "installed-requirements.txt").write_text("nothing==1\n")
    done = run(machine)
    assert (done.returncode, done.stdout) == (0, "")


def test_requirements_are_pinned_with_hashes_and_without_addresses() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (PROJECT / name).read_text().splitlines()
        pins = [number for number, line in enumerate(lines) if "==" in line and not line.startswith(" ")]
        assert pins
        assert all("--hash=sha256:" in lines[number + 1] for number in pins)
        assert not [line for line in lines if "://" in line or line.startswith("--")]
