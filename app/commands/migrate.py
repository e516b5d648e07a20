"""`app migrate`: brings the database's schema to this version."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click
from alembic import command
from alembic.config import Config

from app.commands.local import with_database

CONFIG = Path(__file__).resolve().parents[2] / "migrations" / "alembic.ini"


@click.command()
@click.argument("revision", default="head")
@with_database
def migrate(revision: str) -> None:
    """Migrate to REVISION (default: the newest), as the role of DATABASE_OWNER_URL. `base` empties the database."""
    steps = logging.StreamHandler(sys.stdout)
    steps.addFilter(lambda record: str(record.msg).startswith("Running"))
    logger = logging.getLogger("alembic.runtime.migration")
    logger.addHandler(steps)
    logger.setLevel(logging.INFO)
    step = command.downgrade if revision == "base" or revision.startswith("-") else command.upgrade
    step(Config(str(CONFIG)), revision)
