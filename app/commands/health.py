"""`app health`: what a container's health check runs."""

from __future__ import annotations

import asyncio
import sys

import click

from app.dev.probe import answers_ok
from app.settings import Settings


@click.command()
@click.option(
    "--path", default="/api/health", show_default=True, help="/api/health/ready asks for the worker too"
)
def health(path: str) -> None:
    """Exit with 0 if the web process of this machine answers, else with 1."""
    url = f"http://127.0.0.1:{Settings.from_env().port}"
    sys.exit(0 if asyncio.run(answers_ok(url, path)) else 1)
