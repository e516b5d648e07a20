"""The database and its three login roles, made by a superuser once: the platform itself never needs one again.

`mentorship_owner` migrates and owns the tables, `mentorship_app` serves a signed-in user under row-level security,
`mentorship_service` does jobs, webhooks and sign-in. None is a superuser, none bypasses row-level security.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

OWNER, APP, SERVICE = "mentorship_owner", "mentorship_app", "mentorship_service"
EXTENSIONS = ("btree_gist", "citext", "pg_trgm")
OLDEST_SERVER = 150000


class RolesError(Exception):
    """The server can't be used; the message says why."""


@dataclass(frozen=True)
class Passwords:
    """One password a role."""

    owner: str
    app: str
    service: str

    @classmethod
    def random(cls) -> Passwords:
        """Three new passwords."""
        return cls(*(secrets.token_urlsafe(24) for _ in range(3)))


@dataclass(frozen=True)
class DatabaseUrls:
    """How each role reaches one database; the fields are the names of the settings."""

    database_url: str
    database_service_url: str
    database_owner_url: str

    def as_env(self) -> dict[str, str]:
        """As environment variables."""
        return {name.upper(): value for name, value in vars(self).items()}


def database_urls(admin_url: str, database: str, passwords: Passwords) -> DatabaseUrls:
    """The roles' connections to `database` on the server that `admin_url` names."""
    return DatabaseUrls(
        database_url=connection_url(admin_url, APP, passwords.app, database),
        database_service_url=connection_url(admin_url, SERVICE, passwords.service, database),
        database_owner_url=connection_url(admin_url, OWNER, passwords.owner, database),
    )


def connection_url(server_url: str, user: str, password: str, database: str) -> str:
    """`server_url` with another user and database; unix sockets stay `?host=`, other parameters are kept."""
    given = {name: str(value) for name, value in conninfo_to_dict(server_url).items()}
    host, port = given.pop("host", ""), given.pop("port", "")
    for name in ("user", "password", "dbname"):
        given.pop(name, None)
    if host.startswith("/"):
        given["host"], host = host, ""
    if not host and port:
        given["port"], port = port, ""
    address = f"{host}:{port}" if port else host
    query = f"?{urlencode(given, quote_via=quote, safe='/')}" if given else ""
    return f"postgresql://{quote(user)}:{quote(password, safe='')}@{address}/{quote(database)}{query}"


def create_roles(admin_url: str, database: str, passwords: Passwords) -> DatabaseUrls:
    """Make the roles (or set their passwords), the database and its extensions; what exists is kept.

    `admin_url` is a superuser's. Raises RolesError for a server older than 15, psycopg.Error otherwise.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if connection.info.server_version < OLDEST_SERVER:
            raise RolesError(
                f"PostgreSQL 15 or newer is needed; this is {connection.info.server_version // 10000}"
            )
        for role, password in ((OWNER, passwords.owner), (APP, passwords.app), (SERVICE, passwords.service)):
            _ensure_role(connection, role, password)
        create_database(connection, database)
    with psycopg.connect(make_conninfo(admin_url, dbname=database), autocommit=True) as connection:
        _prepare_database(connection, database)
    return database_urls(admin_url, database, passwords)


def create_database(connection: psycopg.Connection, database: str, *, template: str = "template0") -> None:
    """Make `database`, owned by the owner role, unless it exists. `connection` is a superuser's in autocommit mode."""
    if connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
        return
    encoding = sql.SQL(" encoding 'UTF8'" if template == "template0" else "")
    connection.execute(
        sql.SQL("create database {} owner {} template {}").format(
            sql.Identifier(database), sql.Identifier(OWNER), sql.Identifier(template)
        )
        + encoding
    )


def drop_database(admin_url: str, database: str) -> None:
    """Remove `database` with everything in it, whoever is connected; nothing where there is none."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database))
        )


def _ensure_role(connection: psycopg.Connection, role: str, password: str) -> None:
    exists = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL(
            "{} role {} login nosuperuser nocreatedb nocreaterole nobypassrls noreplication password {}"
        ).format(sql.SQL("alter" if exists else "create"), sql.Identifier(role), sql.Literal(verifier))
    )


def _prepare_database(connection: psycopg.Connection, database: str) -> None:
    for extension in EXTENSIONS:
        connection.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(extension)))
    connection.execute(sql.SQL("alter schema public owner to {}").format(sql.Identifier(OWNER)))
    connection.execute(
        sql.SQL("revoke all on database {} from public").format(sql.Identifier(database)),
    )
    connection.execute(
        sql.SQL("grant connect on database {} to {}, {}").format(
            sql.Identifier(database), sql.Identifier(APP), sql.Identifier(SERVICE)
        )
    )
