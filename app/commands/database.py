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
def create(admin_url: str, name: str) -> None:
    """Make the database and its three roles as the superuser of ADMIN_URL, and print the variables for .env.

    Run again, it sets new passwords and keeps the data.
    """
    try:
        urls = create_roles(admin_url, name, Passwords.random())
    except (RolesError, psycopg.Error) as error:
        raise click.ClickException(str(error)) from error
    for variable, value in urls.as_env().items():
        click.echo(f"{variable}={value}")


@database.command()
def key() -> None:
    """Print a new key for ENCRYPTION_KEYS."""
    click.echo(random_encryption_key())
