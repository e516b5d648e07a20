"""A platform to measure on: PostgreSQL in a temporary folder, durable as in `make run`, and web processes to order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.dev import data_folder
from app.dev.postgres import Cluster, embedded_binaries
from app.dev.process import die_with_parent
from app.dev.roles import create_roles
from app.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]
DATABASE = "bench"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOOK_EVERY_SECONDS = 0.05
# As in production: templates aren't looked at again, cookies are for https. No vendor is configured, no limit bites.
SETTINGS = {
    "ENVIRONMENT": "production",
    "PUBLIC_URL": "https://bench.example.test",
    "LIMITS_SCALE": "1000000",
}
# As `app web` serves.
SERVING = (
    "--loop",
    "uvloop",
    "--http",
    "httptools",
    "--no-access-log",
    "--no-server-header",
    "--log-level",
    "warning",
)


class StageError(Exception):
    """A program did not start or failed; the message ends with what it printed."""


@dataclass(frozen=True)
class Stage:
    """A migrated, empty database, its server's programs, and the environment of processes on it."""

    folder: Path
    binaries: Path
    env: Mapping[str, str]

    @property
    def settings(self) -> Settings:
        """The environment as settings."""
        return Settings.from_env(self.env)

    @contextmanager
    def web(self, factory: str) -> Iterator[int]:
        """One web process with the application that `factory` ("module:function") makes; gives its port."""
        with self.served(factory) as (port, _):
            yield port

    @contextmanager
    def served(self, factory: str) -> Iterator[tuple[int, int]]:
        """As `web`; gives the port and the process's number."""
        port = _free_port()
        command = [sys.executable, "-m", "uvicorn", factory, "--factory", "--port", str(port), *SERVING]
        log = self._log(factory)
        with _process(command, self.env, log, signal.SIGTERM, lambda: _listens(port)) as pid:
            yield port, pid

    def said(self, factory: str) -> str:
        """The last that the application of that `factory` printed."""
        return self._log(factory).read_text(errors="replace")[-2000:]

    def _log(self, factory: str) -> Path:
        return self.folder / f"{factory.partition(':')[0]}.log"


@contextmanager
def raised() -> Iterator[Stage]:
    """Build the stage, take it down at the end. Raises StageError."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o711)  # PostgreSQL's own user must get through
        secrets = data_folder.load_secrets(folder)
        cluster = Cluster(folder / "postgres", secrets.superuser_password, True, embedded_binaries())
        cluster.prepare()
        with _process(cluster.command(), cluster.environment(), cluster.log, signal.SIGINT, cluster.is_ready):
            urls = create_roles(cluster.admin_url, DATABASE, secrets.passwords)
            env = {
                **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
                **SETTINGS,
                **urls.as_env(),
                "SECRET_KEY": secrets.secret_key,
                "ENCRYPTION_KEYS": secrets.encryption_keys,
                "DATA_DIR": str(folder),
                "ENV_FILE": "",
            }
            _migrate(env)
            yield Stage(folder, cluster.binaries, env)


def _migrate(env: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "app", "migrate"]
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StageError(f"the database could not be migrated:\n{done.stdout}{done.stderr}")


@contextmanager
def _process(
    command: Sequence[str], env: Mapping[str, str], log: Path, stop: signal.Signals, is_up: Callable[[], bool]
) -> Iterator[int]:
    """Run a server for the block, from when `is_up`; gives its number. It ends with us, however we end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent(stop),
        )
    try:
        _wait(process, log, is_up)
        yield process.pid
    finally:
        process.send_signal(stop)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], log: Path, is_up: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_up():
        if process.poll() is not None or time.monotonic() > deadline:
            raise StageError(log.read_text(errors="replace")[-4000:])
        time.sleep(LOOK_EVERY_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
