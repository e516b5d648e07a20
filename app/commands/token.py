"""`app token EMAIL`: prints a personal access token for a user."""

from __future__ import annotations

import asyncio

import click

from app import wiring
from app.accounts import service as accounts
from app.commands.local import with_database
from app.core.rls import ServiceDoor
from app.settings import Settings


@click.command()
@click.argument("email")
@click.option("--name", default="command line", help="What the token is called in the user's settings.")
@click.option("--days", default=30, type=click.IntRange(1, 365), help="How long it is valid.")
@with_database
def token(email: str, name: str, days: int) -> None:
    """Print a new access token of the user with that EMAIL."""
    click.echo(asyncio.run(_issue(email, name, days)))


async def _issue(email: str, name: str, days: int) -> str:
    database = wiring.build(Settings.from_env()).database
    try:
        async with database.service(ServiceDoor.SEED) as uow:
            user = await accounts.find_by_email(uow, email)
            if user is None:
                raise click.ClickException(f"there is no account with the address {email}")
            secret = await accounts.issue_token(uow, user.id, name, days)
            await uow.commit()
            return secret
    finally:
        await database.dispose()
