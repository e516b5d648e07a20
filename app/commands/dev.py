"""`app dev`: the whole platform on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import click

from app.dev import data_folder
from app.dev.data_folder import FolderInUseError
from app.dev.local import LocalPlatform
from app.dev.process import die_with_parent
from app.dev.supervisor import Supervisor


@click.command()
def dev() -> None:
    """Run everything: PostgreSQL, sandbox, web, worker and bot, with demo data on the first start."""
    if os.environ.get("MAKELEVEL"):
        _end_with_make()
    platform = LocalPlatform.from_env(dict(os.environ))
    try:
        with data_folder.lock(platform.folder):
            sys.exit(asyncio.run(Supervisor(platform, _show).run()))
    except FolderInUseError as error:
        raise click.ClickException(str(error)) from error


def _show(line: str) -> None:
    """Print a line at once. A reader who went away, as `make run | head` does, is no reason to stop."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - until the end of the process


def _end_with_make() -> None:
    """When `make` is killed, nobody could stop us any more."""
    ask_for_signal = die_with_parent(signal.SIGTERM)
    if ask_for_signal:
        ask_for_signal()
