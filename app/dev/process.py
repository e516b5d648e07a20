"""One supervised process: started in a group of its own, its lines shown with its name, restarted when it crashes."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
HEALTHY_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None

Say = Callable[[str], None]


@dataclass
class Process:
    """A program that runs until it is told to stop.

    `stop_signal` asks it to end. `prepare` runs before each start (in a thread). `log` gets the output of a program
    whose lines are not for the reader. `needed`: without it the platform isn't ready.
    """

    name: str
    command: Callable[[], Sequence[str]]
    env: Mapping[str, str]
    say: Say
    stop_signal: signal.Signals = signal.SIGTERM
    prepare: Callable[[], None] | None = None
    log: Path | None = None
    cwd: str | None = None
    needed: bool = True
    crashes: int = 0
    _running: asyncio.subprocess.Process | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Run it from now on, in the background."""
        self._task = asyncio.create_task(self._keep_running())

    async def stop(self, grace_seconds: float) -> None:
        """Ask it to end; end its whole group by force after `grace_seconds`."""
        self._ended.set()
        running, task = self._running, self._task
        if running is not None and running.returncode is None:
            self._signal(running, self.stop_signal)
            try:
                await asyncio.wait_for(running.wait(), grace_seconds)
            except TimeoutError:
                self.say(f"did not stop within {grace_seconds:g} s and is ended by force")
        if running is not None:
            self._signal(running, signal.SIGKILL)  # also what it may have started itself
        if task is not None:
            await task

    async def _keep_running(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._ended.is_set():
            began = time.monotonic()
            code = await self.run_once()
            if self._ended.is_set():
                return
            self.crashes += 1
            if time.monotonic() - began > HEALTHY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self.say(f"{_describe(code)}; starting again in {pause:g} s")
            await self._wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return

    async def run_once(self) -> int:
        """Run it to its end; returns its exit code."""
        if self.prepare:
            await asyncio.to_thread(self.prepare)
        if self._ended.is_set():
            return 0
        output = self.log.open("wb") if self.log else None
        try:
            self._running = await asyncio.create_subprocess_exec(
                *self.command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output or asyncio.subprocess.PIPE,
                stderr=output or asyncio.subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,
                preexec_fn=die_with_parent(self.stop_signal),
            )
        finally:
            if output:
                output.close()
        await self._show(self._running.stdout)
        return await self._running.wait()

    async def _show(self, stream: asyncio.StreamReader | None) -> None:
        while stream is not None:
            try:
                line = await stream.readline()
            except ValueError:  # a line longer than the reader's buffer: it goes on after it
                continue
            if not line:
                return
            self.say(line.decode(errors="replace").rstrip())

    @staticmethod
    def _signal(running: asyncio.subprocess.Process, sign: signal.Signals) -> None:
        try:
            os.killpg(running.pid, sign)
        except ProcessLookupError:
            return


def die_with_parent(sign: signal.Signals) -> Callable[[], None] | None:
    """On Linux the kernel sends `sign` to the process when the supervisor is killed, so that nothing is left behind."""
    if _libc is None:
        return None
    libc = _libc
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(sign)) and None


def _describe(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
