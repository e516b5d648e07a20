"""The platform's commands. Each is imported only when it runs, so that none pays for what another one needs."""

from __future__ import annotations

import os
from importlib import import_module

import click

from app.dev import dotenv
from app.dev.dotenv import DotenvError
from app.settings import SettingsError

COMMANDS = {
    "dev": "app.commands.dev:dev",
    "database": "app.commands.database:database",
    "health": "app.commands.health:health",
    "migrate": "app.commands.migrate:migrate",
    "seed": "app.commands.seed:seed",
    "token": "app.commands.token:token",
    "web": "app.commands.web:web",
}


class Commands(click.Group):
    """The commands named in COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{place} is no command")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; settings that don't do are told in words, not as a traceback."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.ClickException(str(error)) from error


@click.command(cls=Commands, name="app", help="Commands of the mentorship platform.")
def main() -> None:
    """The group that holds them all; `.env` is read before any of them runs."""
    try:
        dotenv.load(os.environ)
    except (DotenvError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
