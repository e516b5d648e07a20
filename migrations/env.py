"""Runs migrations as the owner role, one at a time: an advisory lock keeps two starting processes apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from app.core.db import sqlalchemy_url
from app.models import metadata
from app.settings import Settings

OUTSIDE_THE_MODELS = {"alembic_version", "saq_jobs", "saq_stats", "saq_versions"}
LOCK = 815_000_001


def include_name(name: str | None, type_: str, parents: object) -> bool:
    """Compare only what the models describe: the queue's tables belong to SAQ."""
    return not (type_ == "table" and name in OUTSIDE_THE_MODELS)


def run(connection: sa.Connection) -> None:
    """Migrate on `connection` in one transaction."""
    context.configure(
        connection=connection, target_metadata=metadata, include_name=include_name, compare_type=True
    )
    with context.begin_transaction():
        connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url = context.config.get_main_option("sqlalchemy.url") or Settings.from_env().database_owner_url
    engine = sa.create_engine(sqlalchemy_url(url), poolclass=sa.NullPool)
    with engine.connect() as opened:
        run(opened)
    engine.dispose()
