"""`make run` from its first line to its last: what it starts, what it survives, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.dev.local import LocalPlatform
from app.dev.supervisor import ACCOUNTS
from e2e.support.platform import PROJECT, RunningPlatform, free_port, running
from tests.dev.test_process import is_running
from tests.support.waiting import until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which a platform was started, seeded and stopped before."""
    folder = tmp_path_factory.mktemp("run") / "data"
    with running(folder):
        pass
    return folder


@pytest.fixture
def platform(folder: Path) -> Iterator[RunningPlatform]:
    """A second start in that folder."""
    with running(folder) as platform:
        yield platform


def start(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """A start that is expected to fail."""
    ports = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
    return subprocess.run(
        [sys.executable, "-m", "app", "dev"],
        cwd=PROJECT,
        env={**os.environ, **ports, "ENV_FILE": "", "DATA_DIR": str(folder), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def processes_in(folder: Path) -> list[int]:
    """Every process whose command line or environment names the folder."""
    needle = os.fsencode(folder)
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and int(place.name) != os.getpid():
            try:
                said = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
            except (OSError, PermissionError):
                continue
            if needle in said and is_running(int(place.name)):
                found.append(int(place.name))
    return found


def process_of(folder: Path, word: str) -> int:
    """The supervised process whose command line has that word."""
    (pid,) = [
        pid
        for pid in processes_in(folder)
        if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    ]
    return pid


def get(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own address
        return int(answer.status)


def test_the_first_start_tells_the_accounts_and_a_later_one_is_quick(folder: Path) -> None:
    first = (folder / "platform.log").read_text()
    for email, _ in ACCOUNTS:
        assert email in first
    began = time.monotonic()
    with running(folder) as platform:
        assert time.monotonic() - began < 20
        assert get(f"{platform.url}/api/health/ready") == 200
        assert get(platform.sandbox) == 200
    again = platform.log.read_text()
    assert "migrate: begun" in first
    assert "seed: begun" in first
    assert "migrate: begun" not in again
    assert "seed: begun" not in again
    assert again.splitlines()[-1] == "stopping"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_every_process_within_10_seconds(folder: Path, sign: signal.Signals) -> None:
    with running(folder) as platform:
        supervisor = process_of(folder, "dev")
        assert len(processes_in(folder)) >= 5
        began = time.monotonic()
        os.kill(supervisor, sign)
        await until(lambda: processes_in(folder) == [], within=10)
        assert time.monotonic() - began < 10
        assert "ready" in platform.log.read_text()


async def test_killed_itself_it_leaves_nothing_and_starts_again(folder: Path) -> None:
    with running(folder):
        os.kill(process_of(folder, "dev"), signal.SIGKILL)
        await until(lambda: processes_in(folder) == [], within=10)
    with running(folder) as platform:
        assert get(f"{platform.url}/api/health/ready") == 200


async def test_an_interrupted_first_start_leaves_no_half_of_the_demo(tmp_path: Path) -> None:
    folder, log = tmp_path / "data", tmp_path / "log"
    env = {**os.environ, "PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
    env |= {"ENV_FILE": "", "DATA_DIR": str(folder)}
    with log.open("wb") as output:
        first = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "dev", cwd=PROJECT, env=env, stdout=output, stderr=output
        )
    await until(lambda: (folder / "seeding").exists(), within=120)
    await until(lambda: "admin@example.test" in people(folder), within=60)
    first.kill()
    await first.wait()
    await until(lambda: processes_in(folder) == [], within=10)
    with running(folder) as platform:
        assert "seed: was interrupted" in platform.log.read_text()
        with psycopg.connect(platform.env["DATABASE_SERVICE_URL"]) as connection:
            connected = connection.execute("select count(*) from calendar_connections").fetchone()
        assert connected == (1,)
    assert not (folder / "seeding").exists()


def people(folder: Path) -> set[str]:
    """The accounts that are there; none before there is a table."""
    urls = LocalPlatform.from_env({"DATA_DIR": str(folder)}).environment()
    with psycopg.connect(urls["DATABASE_SERVICE_URL"]) as connection:
        return {email for (email,) in connection.execute("select email from users")}


async def test_it_stops_when_the_make_that_started_it_is_killed(folder: Path) -> None:
    env = {**os.environ, "MAKELEVEL": "1", "ENV_FILE": "", "DATA_DIR": str(folder)}
    env |= {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
    make = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        f"{sys.executable} -m app dev & wait",
        cwd=PROJECT,
        env=env,
        stdout=asyncio.subprocess.DEVNULL,
    )
    await until(lambda: word_is_back(folder, "app.asgi:create_app", 0))
    make.kill()
    await make.wait()
    await until(lambda: processes_in(folder) == [], within=10)


@pytest.mark.parametrize("word", ["jobs", "app.asgi:create_app", "sandbox", "bot"])
async def test_a_crash_is_shown_and_the_process_is_back(
    folder: Path, platform: RunningPlatform, word: str
) -> None:
    before = process_of(folder, word)
    os.kill(before, signal.SIGKILL)
    await until(lambda: "was ended by SIGKILL; starting again" in platform.log.read_text())
    await until(lambda: word_is_back(folder, word, before))


def word_is_back(folder: Path, word: str, before: int) -> bool:
    try:
        return process_of(folder, word) != before
    except (ValueError, FileNotFoundError):
        return False


async def test_a_crash_of_postgres_is_survived(folder: Path, platform: RunningPlatform) -> None:
    cluster = LocalPlatform.from_env({"DATA_DIR": str(folder)}).cluster
    assert cluster is not None
    pid = cluster.running_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: cluster.is_ready() and cluster.running_pid() != pid)
    with psycopg.connect(platform.env["DATABASE_SERVICE_URL"]) as connection:
        assert connection.execute("select count(*) > 0 from users").fetchone() == (True,)


def test_two_copies_run_side_by_side(platform: RunningPlatform, tmp_path: Path) -> None:
    with running(tmp_path / "other") as other:
        assert get(f"{other.url}/api/health/ready") == 200
        assert get(f"{platform.url}/api/health/ready") == 200
    assert get(f"{platform.url}/api/health/ready") == 200


def test_a_command_finds_the_running_copy_and_a_stopped_one(folder: Path) -> None:
    with running(folder) as platform:
        token = platform.command("token", "student@example.test").strip()
        assert re.fullmatch(r"\S{20,}", token)
    env = {**os.environ, "DATA_DIR": str(folder), "ENV_FILE": ""}
    done = subprocess.run(
        [sys.executable, "-m", "app", "token", "student@example.test"],
        cwd=PROJECT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.fullmatch(r"\S{20,}", done.stdout.strip()), done.stderr
    assert processes_in(folder) == []


def test_a_command_works_in_a_folder_that_nothing_ran_in_yet(tmp_path: Path) -> None:
    env = {**os.environ, "DATA_DIR": str(tmp_path / "data"), "ENV_FILE": ""}
    for command, words in (
        ("migrate", "Running upgrade"),
        ("token nobody@example.test", "there is no account"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "app", *command.split()],
            cwd=PROJECT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert words in done.stdout + done.stderr
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_a_port_in_use_is_said_in_words(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = start(tmp_path / "data", **{name: str(port)})
    assert done.returncode == 1
    assert f"port {port} is in use; choose another with {name}=" in done.stdout


def test_a_folder_in_use_is_said_in_words(folder: Path, platform: RunningPlatform) -> None:
    done = start(folder)
    assert done.returncode == 1
    assert "another copy runs in" in done.stderr


def test_a_server_of_ones_own_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    nowhere = "postgresql://x@127.0.0.1:9/x"
    done = start(
        tmp_path / "data", DATABASE_URL=nowhere, DATABASE_SERVICE_URL=nowhere, DATABASE_OWNER_URL=nowhere
    )
    assert done.returncode == 1
    assert "not started: DATABASE_OWNER_URL" in done.stdout


def test_a_port_that_is_none_is_said_in_words(tmp_path: Path) -> None:
    done = start(tmp_path / "data", PORT="http")
    assert done.returncode == 1
    assert "Error: PORT='http' is no port" in done.stderr
