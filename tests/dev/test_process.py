"""A supervised process: shown, restarted, stopped, and gone with its supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from app.dev import process as process_module
from app.dev.process import Process
from tests.support.skips import skip
from tests.support.waiting import until

SPEAKS = "print('hello', flush=True); import time; time.sleep(60)"
CRASHES = "raise SystemExit(3)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
WITH_CHILD = (
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print('child', child.pid, flush=True); time.sleep(60)"
)
SUPERVISES = """
import asyncio, os, sys
from app.dev.process import Process
async def main():
    Process("child", lambda: [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"],
            os.environ, lambda line: print(line, flush=True)).begin()
    await asyncio.sleep(60)
asyncio.run(main())
"""


def python(code: str, lines: list[str]) -> Process:
    return Process("test", lambda: [sys.executable, "-c", code], os.environ, lines.append)


async def test_its_lines_are_shown_and_it_stops_when_told() -> None:
    lines: list[str] = []
    process = python(SPEAKS, lines)
    process.begin()
    await until(lambda: lines == ["hello"])
    await process.stop(5)
    assert lines == ["hello"]


async def test_a_crash_is_shown_and_it_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "FIRST_PAUSE_SECONDS", 0.01)
    lines: list[str] = []
    process = python(CRASHES, lines)
    process.begin()
    await until(lambda: process.crashes >= 3)
    await process.stop(5)
    assert lines[:2] == [
        "ended with exit code 3; starting again in 0.01 s",
        "ended with exit code 3; starting again in 0.02 s",
    ]


async def test_a_kill_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "FIRST_PAUSE_SECONDS", 0.01)
    lines: list[str] = []
    process = python("import os; os.kill(os.getpid(), 9)", lines)
    process.begin()
    await until(lambda: process.crashes >= 1)
    await process.stop(5)
    assert lines[0].startswith("was ended by SIGKILL")


async def test_one_that_does_not_listen_is_ended_by_force() -> None:
    lines: list[str] = []
    process = python(STUBBORN, lines)
    process.begin()
    await until(lambda: lines == ["deaf"])
    began = asyncio.get_running_loop().time()
    await process.stop(0.2)
    assert asyncio.get_running_loop().time() - began < 5
    assert "ended by force" in lines[-1]


async def test_what_it_started_itself_goes_with_it() -> None:
    lines: list[str] = []
    process = python(WITH_CHILD, lines)
    process.begin()
    await until(lambda: bool(lines))
    child = int(lines[0].split()[1])
    await process.stop(5)
    await until(lambda: not is_running(child))


async def test_it_ends_when_its_supervisor_is_killed() -> None:
    if sys.platform != "linux":
        skip("needs-linux")
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISES, stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    child = int(await supervisor.stdout.readline())
    assert is_running(child)
    supervisor.send_signal(signal.SIGKILL)
    await supervisor.wait()
    await until(lambda: not is_running(child))


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
