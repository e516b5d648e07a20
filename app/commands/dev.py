"""`app dev`: the whole platform on this machine."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from app.dev import data_folder
from app.dev.data_folder import FolderInUseError
from app.dev.local import LocalPlatform
from app.dev.supervisor import Supervisor


@click.command()
def dev() -> None:
    """Run everything: PostgreSQL, sandbox, web and worker, with demo data on the first start."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    platform = LocalPlatform.from_env(dict(os.environ))
    try:
        with data_folder.lock(platform.folder):
            sys.exit(asyncio.run(Supervisor(platform).run()))
    except FolderInUseError as error:
        raise click.ClickException(str(error)) from error
