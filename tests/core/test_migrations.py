"""The migrations make what the models describe, go down to nothing and up again, and lose no row on the way up."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.core.db import sqlalchemy_url
from app.dev.roles import DatabaseUrls
from app.dev.schema import heads, is_current
from app.models import metadata
from app.settings import Settings
from tests.support.postgres import TestServer, config_for, migrate

EVERYTHING = """
    select c.relkind::text, c.relname from pg_class c where c.relnamespace = 'public'::regnamespace
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    union select 'function', p.proname from pg_proc p where p.pronamespace = 'public'::regnamespace
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    union select 'type', t.typname from pg_type t where t.typnamespace = 'public'::regnamespace and t.typtype = 'e'
    order by 1, 2
"""
OUTSIDE_THE_MODELS = ("alembic_version", "saq_")


@pytest.fixture
def empty(server: TestServer, worker_id: str) -> Iterator[DatabaseUrls]:
    """A database that was not migrated yet."""
    with server.empty(f"migrations_{worker_id}") as urls:
        yield urls


def everything(urls: DatabaseUrls) -> list[tuple[str, str]]:
    with psycopg.connect(urls.database_owner_url) as connection:
        return [(kind, name) for kind, name in connection.execute(EVERYTHING).fetchall()]


def test_models_and_migrations_describe_the_same(settings: Settings) -> None:
    def include(name: str | None, kind: str, parents: object) -> bool:
        return not (kind == "table" and (name or "").startswith(OUTSIDE_THE_MODELS))

    engine = sa.create_engine(sqlalchemy_url(settings.database_owner_url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        options = {"compare_type": True, "include_name": include}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_up_down_and_up_again(empty: DatabaseUrls) -> None:
    assert not is_current(empty.database_owner_url)
    migrate(empty)
    assert is_current(empty.database_owner_url)
    first = everything(empty)
    assert len(first) > 100
    command.downgrade(config_for(empty), "base")
    assert {name for _, name in everything(empty)} <= {"alembic_version", "alembic_version_pkc"}
    migrate(empty)
    assert everything(empty) == first


def test_each_step_goes_up_and_down_by_itself(empty: DatabaseUrls) -> None:
    script = ScriptDirectory.from_config(config_for(empty))
    for revision in reversed([step.revision for step in script.walk_revisions()]):
        before = everything(empty)
        migrate(empty, revision)
        command.downgrade(config_for(empty), "-1")
        after = [row for row in everything(empty) if not row[1].startswith("alembic_version")]
        assert after == [row for row in before if not row[1].startswith("alembic_version")], revision
        migrate(empty, revision)


def test_there_is_one_line_of_migrations() -> None:
    assert len(heads()) == 1


def test_every_foreign_key_has_an_index(admin_url: str) -> None:
    missing = """
        select k.conrelid::regclass::text, k.conname from pg_constraint k
        where k.contype = 'f' and k.connamespace = 'public'::regnamespace and not exists (
            select from pg_index i where i.indrelid = k.conrelid and i.indpred is null
            and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
        )
    """
    with psycopg.connect(admin_url) as connection:
        assert connection.execute(missing).fetchall() == []


def test_row_level_security_is_on_everywhere(admin_url: str) -> None:
    off = """
        select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        and not relrowsecurity and relname <> 'alembic_version'
    """
    with psycopg.connect(admin_url) as connection:
        assert connection.execute(off).fetchall() == []
