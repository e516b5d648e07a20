"""`app web`: one web process."""

from __future__ import annotations

import os
import sys

import click

from app.dev.local import web_command
from app.settings import Settings


@click.command()
def web() -> None:
    """Serve pages and API on HOST and PORT; run several behind a balancer, with REDIS_URL set."""
    settings = Settings.from_env()
    command = [sys.executable, *web_command(settings.host, settings.port)]
    os.execv(sys.executable, command)  # noqa: S606 - this process becomes the server
