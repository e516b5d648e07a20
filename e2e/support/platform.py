"""A whole platform for the journeys: started the way `make run` does it, on free ports, in a data folder of its own."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.dev.local import LocalPlatform
from app.dev.process import die_with_parent

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 150.0
STOP_SECONDS = 15.0
# Journeys sign in more often from one address than people do; the policies have tests of their own.
SETTINGS = {"LIMITS_SCALE": "1000", "ENVIRONMENT": "development", "ENV_FILE": ""}


class NotReady(Exception):
    """The platform did not start; the message ends with what it printed."""


@dataclass(frozen=True)
class RunningPlatform:
    """Where a running platform is reached, and where it keeps its things."""

    url: str
    sandbox: str
    data_dir: Path
    env: dict[str, str]
    log: Path

    def command(self, *arguments: str) -> str:
        """What `app ARGUMENTS…` prints when it is run against this platform."""
        command = [sys.executable, "-m", "app", *arguments]
        done = subprocess.run(command, cwd=PROJECT, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def another_web(self, **settings: str) -> Iterator[str]:
        """A second web process on the same database, with `settings` over those of the first; gives its address."""
        port = free_port()
        app = [sys.executable, "-m", "uvicorn", "app.asgi:create_app", "--factory", "--port", str(port)]
        url = f"http://127.0.0.1:{port}"
        log = self.data_dir / f"web-{port}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                app, cwd=PROJECT, env={**self.env, **settings}, stdout=output, stderr=output
            )
            try:
                _wait_until_well(url, process, log)
                yield url
            finally:
                process.terminate()
                process.wait(STOP_SECONDS)


def untouched_folder(folder: Path) -> Path:
    """`folder`, the data folder of a platform with demo data that was stopped; one of several callers makes it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft = folder.with_suffix(".draft")
            with running(draft):
                pass
            draft.rename(folder)
    return folder


def copied(untouched: Path, folder: Path) -> Path:
    """`folder`, a copy of `untouched` in which a platform starts without making anything."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{untouched}/.", str(folder)], check=True)
    return folder


@contextmanager
def running(data_dir: Path, **settings: str) -> Iterator[RunningPlatform]:
    """Start a platform, with `settings` over the usual ones; stop everything at the end. Raises NotReady."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    ports = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
    env = {**given, **SETTINGS, **ports, "DATA_DIR": str(data_dir), **settings}
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir / "platform.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "app", "dev"]
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent(signal.SIGINT),
        )
        try:
            local = LocalPlatform.from_env(env)
            _wait_for_line(f"ready {local.url}", process, log)
            yield RunningPlatform(local.url, local.sandbox_url, data_dir, local.environment(), log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for_line(line: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while line not in log.read_text(errors="replace").splitlines():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReady(log.read_text(errors="replace")[-4000:])
        time.sleep(0.1)


def _wait_until_well(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_well(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReady(log.read_text(errors="replace")[-4000:])
        time.sleep(0.1)


def _is_well(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/health", timeout=2) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
