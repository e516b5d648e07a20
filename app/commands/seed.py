"""`app seed demo` and `app seed load`: data to look at, and data to measure with."""

from __future__ import annotations

import asyncio

import click

from app import wiring
from app.commands.local import with_database
from app.core.errors import AppError
from app.seeds.demo import seed_demo
from app.seeds.load import seed_load
from app.settings import Settings


@click.group()
def seed() -> None:
    """Fill the database."""


@seed.command()
@with_database
def demo() -> None:
    """The demo accounts with a past; nothing where they are there already."""
    made = asyncio.run(_demo())
    click.echo("demo data made" if made else "demo data is there already")


@seed.command()
@click.option(
    "--students", default=100, type=click.IntRange(1, 9999), help="How many: load-0001@example.test …"
)
@click.option("--mentor", required=True, help="E-mail of the mentor they have packs with; seats are raised.")
@click.option("--credits", "sessions", default=4, type=click.IntRange(1, 100), help="Sessions a pack.")
@click.option("--tokens", is_flag=True, help="Print one access token a line.")
@with_database
def load(students: int, mentor: str, sessions: int, tokens: bool) -> None:
    """Students with packs, for measurements; those that are there already get another pack."""
    try:
        secrets = asyncio.run(_load(students, mentor, sessions, tokens))
    except AppError as error:
        raise click.ClickException(error.detail) from error
    for secret in secrets:
        click.echo(secret)
    if not tokens:
        click.echo(f"{students} students with {sessions} sessions each")


async def _demo() -> bool:
    platform = wiring.build(Settings.from_env())
    try:
        return await seed_demo(platform)
    finally:
        await platform.database.dispose()


async def _load(students: int, mentor: str, sessions: int, tokens: bool) -> list[str]:
    platform = wiring.build(Settings.from_env())
    try:
        return await seed_load(platform.database, students, mentor, sessions, tokens=tokens)
    finally:
        await platform.database.dispose()
