"""Programs of the platform as processes of their own, to be stopped and killed by tests."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path

from app.dev.process import die_with_parent
from app.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.05

Program = asyncio.subprocess.Process


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment from which `Settings.from_env` makes these settings."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return inherited | {field.name.upper(): str(getattr(settings, field.name)) for field in fields(settings)}


async def start(settings: Settings, *arguments: str, **more: str) -> Program:
    """Start `python -m ARGUMENTS` with these settings, and `more` in its environment; it dies with the tests."""
    command = [sys.executable, "-m", *arguments]
    env = environment_of(settings) | more
    die = die_with_parent(signal.SIGKILL)
    return await asyncio.create_subprocess_exec(*command, cwd=PROJECT, env=env, preexec_fn=die)


async def kill(program: Program) -> None:
    """SIGKILL, and wait for its end; a program that has ended is fine."""
    with contextlib.suppress(ProcessLookupError):
        program.send_signal(signal.SIGKILL)
    await program.wait()


@asynccontextmanager
async def running(settings: Settings, *arguments: str, **more: str) -> AsyncIterator[Program]:
    """A program for the block, killed at its end."""
    program = await start(settings, *arguments, **more)
    try:
        yield program
    finally:
        await kill(program)


async def until(what: str, is_so: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS) -> None:
    """Return as soon as `is_so`. Raises AssertionError naming `what` when that takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                if await is_so():
                    return
                await asyncio.sleep(LOOK_EVERY_SECONDS)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds:g} s") from None
