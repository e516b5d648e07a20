"""The tests' PostgreSQL: one server for all test processes of this checkout, a migrated template, a clone a worker.

The first process that needs the server starts it, the last one stops it: each holds a shared lock on `in-use`, which
the kernel gives back however the process ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from psycopg.conninfo import make_conninfo

from app.dev import data_folder
from app.dev.data_folder import Secrets
from app.dev.postgres import Cluster, embedded_binaries
from app.dev.roles import DatabaseUrls, create_database, create_roles, database_urls
from tests.support import debian_postgres

PROJECT = Path(__file__).resolve().parents[2]
MIGRATIONS = PROJECT / "migrations"
FOLDER = PROJECT / ".data" / "tests"


@dataclass(frozen=True)
class TestServer:
    """The running server; `kind` is `embedded` or `debian15`."""

    kind: str
    cluster: Cluster
    secrets: Secrets

    __test__ = False

    @classmethod
    def of_kind(cls, kind: str) -> TestServer:
        """The server of that kind, not started yet."""
        folder = data_folder.make(FOLDER / kind)
        secrets = data_folder.load_secrets(folder)
        if kind == "embedded":
            cluster = Cluster(folder, secrets.superuser_password, durable=False, binaries=embedded_binaries())
        else:
            binaries, library_path = debian_postgres.ensure(FOLDER)
            cluster = Cluster(folder, secrets.superuser_password, False, binaries, library_path)
        return cls(kind, cluster, secrets)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep the server running; it stops when nobody needs it any more."""
        with (self.cluster.home / "in-use").open("a+") as in_use:
            with self._alone():
                if not self.cluster.is_ready():
                    self.cluster.start()
                fcntl.flock(in_use, fcntl.LOCK_SH)
            try:
                yield
            finally:
                self._stop_if_last(in_use)

    def _stop_if_last(self, in_use: IO[str]) -> None:
        with self._alone(), suppress(BlockingIOError):
            fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.cluster.stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.cluster.home / "start").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def clone(self, name: str) -> Iterator[DatabaseUrls]:
        """A database of our own with the newest schema and no rows but the migrations'; dropped at the end."""
        database = f"test_{name}_{os.getpid()}"
        template = self._template()
        with psycopg.connect(self.cluster.admin_url, autocommit=True) as admin:
            self._drop(admin, database)
            create_database(admin, database, template=template)
        yield database_urls(self.cluster.admin_url, database, self.secrets.passwords)
        with psycopg.connect(self.cluster.admin_url, autocommit=True) as admin:
            self._drop(admin, database)

    @contextmanager
    def empty(self, name: str) -> Iterator[DatabaseUrls]:
        """A database with roles and extensions but not migrated, for the tests of the migrations themselves."""
        database = f"test_{name}_{os.getpid()}"
        with self._alone():
            yield_urls = create_roles(self.cluster.admin_url, database, self.secrets.passwords)
        yield yield_urls
        with psycopg.connect(self.cluster.admin_url, autocommit=True) as admin:
            self._drop(admin, database)

    def admin_url(self, urls: DatabaseUrls) -> str:
        """The superuser's connection to the database that `urls` name."""
        database = psycopg.conninfo.conninfo_to_dict(urls.database_url)["dbname"]
        return make_conninfo(self.cluster.admin_url, dbname=str(database))

    def _template(self) -> str:
        """The migrated template for the migrations as they are now, made by whoever comes first."""
        template = f"template_{_digest_of_migrations()}"
        with self._alone(), psycopg.connect(self.cluster.admin_url, autocommit=True) as admin:
            if admin.execute("select 1 from pg_database where datname = %s", [template]).fetchone():
                return template
            self._drop_stale(admin)
            draft = f"draft_{os.getpid()}"
            migrate(create_roles(self.cluster.admin_url, draft, self.secrets.passwords))
            rename = sql.SQL("alter database {} rename to {}")
            admin.execute(rename.format(sql.Identifier(draft), sql.Identifier(template)))
        return template

    def _drop_stale(self, admin: psycopg.Connection) -> None:
        """Drop older templates and what killed test processes left."""
        for (name,) in admin.execute("select datname from pg_database where not datistemplate").fetchall():
            kind, _, owner = name.partition("_")
            if kind == "template" or (kind in {"test", "draft"} and not _is_alive(owner.rpartition("_")[2])):
                self._drop(admin, name)

    def _drop(self, admin: psycopg.Connection, database: str) -> None:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


def migrate(urls: DatabaseUrls, revision: str = "head") -> None:
    """Bring the database's schema to `revision`, as its owner."""
    command.upgrade(config_for(urls), revision)


def config_for(urls: DatabaseUrls) -> Config:
    """Alembic's configuration for the database that `urls` name."""
    config = Config(str(MIGRATIONS / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", urls.database_owner_url.replace("%", "%%"))
    return config


def _digest_of_migrations() -> str:
    digest = hashlib.sha256()
    for file in sorted([*MIGRATIONS.rglob("*.py"), PROJECT / "app" / "dev" / "roles.py"]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _is_alive(pid: str) -> bool:
    return pid.isdigit() and Path(f"/proc/{pid}").exists()
