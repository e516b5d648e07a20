"""`make run`: starts PostgreSQL, migrates, seeds, then runs sandbox, web, worker and bot until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from app.dev import browser_files, schema
from app.dev.local import DATABASE, LOOPBACK, VENDORS, LocalPlatform, web_command
from app.dev.postgres import PostgresError
from app.dev.probe import answers_ok
from app.dev.process import Process, Say
from app.dev.roles import create_roles, drop_database

PASSWORD = "mentorships-demo"  # noqa: S105 - of the demo accounts, printed at every start
ACCOUNTS = (
    ("admin@example.test", "admin"),
    ("mentor@example.test", "instructor in Lisbon, Google Calendar connected"),
    ("mentor-tokyo@example.test", "instructor in Tokyo, own hours only"),
    ("mentor-kolkata@example.test", "instructor in Kolkata, sold out, with a waitlist"),
    ("student@example.test", "student in New York, 3 of 4 sessions left"),
    ("student-last@example.test", "student in Berlin, one session left"),
    ("student-new@example.test", "student without a pack"),
)
STOP_SECONDS = 5.0
POSTGRES_STOP_SECONDS = 4.0
START_SECONDS = 120.0
CRASHES_AT_START = 4
POLL_SECONDS = 0.1
BOT_LINE = "connected to Discord"
BOT_SECONDS = 20.0
PROJECT = Path(__file__).resolve().parents[2]


class StartError(Exception):
    """The platform can't be started; the message says why and what to do."""


class Supervisor:
    """The processes of one copy of the platform."""

    def __init__(self, platform: LocalPlatform, write: Callable[[str], None] = print) -> None:
        self._platform = platform
        self._write = write
        self._env = platform.environment()
        self._processes: list[Process] = []
        self._postgres: Process | None = None
        self._stop = asyncio.Event()
        self._bot_is_there = asyncio.Event()
        self._seeding = platform.folder / "seeding"  # there while demo data is half made

    async def run(self) -> int:
        """Run until SIGINT or SIGTERM; returns the exit code. The second signal ends the wait for an orderly end."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, self._stop.set)
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
        except (StartError, PostgresError, browser_files.BrowserFilesError) as error:
            self._write(f"not started: {error}")
            return 1
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await self._stop_everything()
        return 0

    async def _start(self) -> None:
        began = time.monotonic()
        platform = self._platform
        self._check_ports()
        await asyncio.to_thread(browser_files.ensure_served)
        self._announce_vendors()
        if platform.cluster:
            await self._start_postgres()
        await self._migrate()
        await self._seed()
        self._begin("web", *web_command(platform.host, platform.port))
        self._begin("worker", "-m", "jobs")
        if self._env.get("DISCORD_BOT_TOKEN"):
            self._begin("bot", "-m", "bot", needed=False)
        await self._wait_for("the platform", lambda: answers_ok(platform.url, "/api/health/ready"))
        await self._wait_for_bot()
        self._write(f"demo accounts (password {PASSWORD}):")
        for email, who in ACCOUNTS:
            self._write(f"  {email:28} {who}")
        if platform.sandboxed:
            self._write(f"sandbox {platform.sandbox_url}")
        self._write(f"started in {time.monotonic() - began:.1f} s; Ctrl-C stops everything")
        self._write(f"ready {platform.url}")

    def _check_ports(self) -> None:
        ports = [("PORT", self._platform.host, self._platform.port)]
        if self._platform.sandboxed:
            ports.append(("SANDBOX_PORT", LOOPBACK, self._platform.sandbox_port))
        for name, host, port in ports:
            if not _is_free(host, port):
                raise StartError(f"port {port} is in use; choose another with {name}={port + 10} make run")

    def _announce_vendors(self) -> None:
        sandboxed = self._platform.sandboxed
        for vendor in VENDORS:
            where = "the sandbox answers" if vendor in sandboxed else "the real vendor"
            self._write(f"{vendor.name}: {where} ({vendor.key} {'not ' if vendor in sandboxed else ''}set)")
        if sandboxed:
            self._begin("sandbox", "-m", "sandbox")

    async def _start_postgres(self) -> None:
        cluster = self._platform.cluster
        if cluster is None:
            return
        self._write(f"postgres: starting in {cluster.home}")
        await asyncio.to_thread(cluster.prepare)
        self._postgres = Process(
            "postgres",
            cluster.command,
            cluster.environment(),
            self._speaker("postgres"),
            stop_signal=signal.SIGINT,
            prepare=cluster.prepare,
            log=cluster.log,
            cwd="/",
        )
        self._postgres.begin()
        try:
            await self._wait_for("PostgreSQL", lambda: asyncio.to_thread(cluster.is_ready))
        except StartError as error:
            raise StartError(f"{error}\n{cluster.log_end()}") from error
        if self._seeding.exists():
            self._write("seed: was interrupted; beginning again with an empty database")
            await asyncio.to_thread(drop_database, cluster.admin_url, DATABASE)
        await asyncio.to_thread(create_roles, cluster.admin_url, DATABASE, self._platform.secrets.passwords)

    async def _migrate(self) -> None:
        try:
            current = await asyncio.to_thread(schema.is_current, self._env.get("DATABASE_OWNER_URL", ""))
        except psycopg.OperationalError as error:
            raise StartError(f"DATABASE_OWNER_URL: {error}") from error
        if not current:
            await self._step("migrate", "migrate")

    async def _seed(self) -> None:
        """Demo data on the first start with this data folder."""
        done = self._platform.folder / "seeded"
        if done.exists() or self._env.get("ENVIRONMENT") == "production":
            return
        if self._platform.sandboxed:
            await self._wait_for("the sandbox", lambda: answers_ok(self._platform.sandbox_url, "/"))
        self._seeding.touch()
        await self._step("seed", "seed", "demo")
        done.touch()
        self._seeding.unlink()

    async def _step(self, name: str, *arguments: str) -> None:
        """Run one of the platform's commands to its end. Raises StartError if it fails."""
        self._write(f"{name}: begun")
        process = Process(
            name, lambda: [sys.executable, "-m", "app", *arguments], self._env, self._speaker(name)
        )
        self._processes.append(process)
        code = await process.run_once()
        self._processes.remove(process)
        if code != 0:
            raise StartError(f"{name} ended with exit code {code}; its lines above say why")

    def _begin(self, name: str, *arguments: str, needed: bool = True) -> None:
        command = [sys.executable, *arguments]
        speak = self._speaker(name)
        process = Process(name, lambda: command, self._env, speak, cwd=str(PROJECT), needed=needed)
        self._processes.append(process)
        process.begin()

    async def _wait_for(self, what: str, is_there: Callable[[], Awaitable[bool]]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not await is_there():
            failing = [p.name for p in self._all() if p.needed and p.crashes >= CRASHES_AT_START]
            if failing:
                raise StartError(f"{what} is not ready: {', '.join(failing)} ended again and again")
            if time.monotonic() > deadline:
                raise StartError(f"{what} is not ready after {START_SECONDS:g} s")
            await asyncio.sleep(POLL_SECONDS)

    async def _wait_for_bot(self) -> None:
        """In the sandbox the bot is there a moment after the web; elsewhere, and for longer, nobody waits for it."""
        if any(vendor.name == "Discord" for vendor in self._platform.sandboxed):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._bot_is_there.wait(), BOT_SECONDS)

    def _all(self) -> list[Process]:
        return [*self._processes, *([self._postgres] if self._postgres else [])]

    async def _stop_everything(self) -> None:
        """First who uses the database, all at once, then the database."""
        if self._all():
            self._write("stopping")
        await asyncio.gather(*(process.stop(STOP_SECONDS) for process in self._processes))
        if self._postgres:
            await self._postgres.stop(POSTGRES_STOP_SECONDS)

    def _speaker(self, name: str) -> Say:
        def say(line: str) -> None:
            self._write(f"{name:8} | {line}")
            if line == BOT_LINE:
                self._bot_is_there.set()

        return say


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
