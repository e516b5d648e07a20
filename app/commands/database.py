"""`app database`: prepares a PostgreSQL server of your own."""

from __future__ import annotations

import click
import psycopg

from app.dev.data_folder import random_encryption_key
from app.dev.roles import Passwords, RolesError, create_roles


@click.group()
def database() -> None:
    """Prepare a PostgreSQL server of your own (15 or newer)."""


@database.command()
@click.argument("admin_url")
@click.option("--name", default="mentorship", show_default=True, help="name of the database")
@click.option("--owner-password", envvar="DATABASE_OWNER_PASSWORD", help="default: a random one")
@click.option("--app-password", envvar="DATABASE_APP_PASSWORD", help="default: a random one")
@click.option("--service-password", envvar="DATABASE_SERVICE_PASSWORD", help="default: a random one")
def create(
    admin_url: str,
    name: str,
    owner_password: str | None,
    app_password: str | None,
    service_password: str | None,
) -> None:
    """Make the database and its three roles as the superuser of ADMIN_URL, and print the variables for .env.

    Run again, it sets the passwords anew and keeps the data.
    """
    new = Passwords.random()
    passwords = Passwords(
        owner_password or new.owner, app_password or new.app, service_password or new.service
    )
    try:
        urls = create_roles(admin_url, name, passwords)
    except (RolesError, psycopg.Error) as error:
        raise click.ClickException(str(error)) from error
    for variable, value in urls.as_env().items():
        click.echo(f"{variable}={value}")


@database.command()
def key() -> None:
    """Print a new key for ENCRYPTION_KEYS."""
    click.echo(random_encryption_key())
