"""The three roles and the database, as `app database create` makes them."""

from __future__ import annotations

import psycopg
import pytest
from click.testing import CliRunner

from app.commands.database import database as command
from app.dev.postgres import Cluster
from app.dev.roles import APP, EXTENSIONS, OWNER, SERVICE, connection_url


def test_no_role_is_more_than_it_must_be(admin_url: str) -> None:
    with psycopg.connect(admin_url) as admin:
        rows = admin.execute(
            "select rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication"
            " from pg_roles where rolname = any(%s) order by 1",
            [[OWNER, APP, SERVICE]],
        ).fetchall()
        owner = admin.execute(
            "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
        ).fetchone()
        extensions = {name for (name,) in admin.execute("select extname from pg_extension")}
        owned = admin.execute(
            "select relname from pg_class where relowner in (%s::regrole, %s::regrole)", [APP, SERVICE]
        ).fetchall()
    assert rows == [(APP, False), (OWNER, False), (SERVICE, False)]
    assert owner == (OWNER,)
    assert extensions.issuperset(EXTENSIONS)
    assert owned == []


@pytest.mark.parametrize(
    ("server_url", "expected"),
    [
        ("postgresql://postgres:x@/postgres?host=/run/pg", "postgresql://u:p%2F%40@/d?host=/run/pg"),
        ("postgresql://postgres:x@db.example:6543/x", "postgresql://u:p%2F%40@db.example:6543/d"),
        ("postgres://root@db/x?sslmode=require", "postgresql://u:p%2F%40@db/d?sslmode=require"),
        ("host=/run/pg port=6000 user=postgres", "postgresql://u:p%2F%40@/d?host=/run/pg&port=6000"),
    ],
)
def test_addresses_keep_everything_but_user_and_database(server_url: str, expected: str) -> None:
    assert connection_url(server_url, "u", "p/@", "d") == expected


def test_create_prints_addresses_that_work_and_may_be_run_again(cluster: Cluster) -> None:
    cluster.start()
    runner = CliRunner()
    first = runner.invoke(command, ["create", cluster.admin_url, "--name", "own_server"])
    second = runner.invoke(command, ["create", cluster.admin_url, "--name", "own_server"])
    assert (first.exit_code, second.exit_code) == (0, 0)
    urls = dict(line.split("=", 1) for line in second.output.splitlines())
    assert list(urls) == ["DATABASE_URL", "DATABASE_SERVICE_URL", "DATABASE_OWNER_URL"]
    for url, role in zip(urls.values(), (APP, SERVICE, OWNER), strict=True):
        with psycopg.connect(url) as connection:
            assert connection.execute("select current_user, current_database()").fetchone() == (
                role,
                "own_server",
            )


def test_a_server_that_cannot_be_reached_is_told_in_words() -> None:
    result = CliRunner().invoke(command, ["create", "postgresql://nobody@127.0.0.1:9/postgres"])
    assert result.exit_code == 1
    assert "connection" in result.output
