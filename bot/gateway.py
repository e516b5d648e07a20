"""One life of the bot at Discord: commands registered once, every click acknowledged, then answered.

Discord waits three seconds for a first word, so that the first word is always that there will be one; the answer takes
its place. Answers are the asker's alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

import hikari
from hikari.api import CacheComponents
from hikari.impl import CacheSettings

from app.wiring import Platform
from bot import members
from bot.answering import Answering, Click
from bot.building import command_of, components_of
from bot.replies import Reply
from bot.router import Router

logger = logging.getLogger(__name__)

INTENTS: Final = hikari.Intents.GUILDS | hikari.Intents.GUILD_MEMBERS
ACKNOWLEDGED_BEFORE: Final = 40060
"""Discord's code for a second acknowledgement: the first one arrived, only its answer was lost."""
GRACE_SECONDS: Final = 3.0
RETRIES: Final = 1
"""Of a request, a second later: more would come too late for a click."""


class Bot:
    """A connection to the gateway, and what is done with what comes through it."""

    def __init__(self, platform: Platform, router: Router) -> None:
        settings = platform.settings
        self._platform = platform
        self._router = router
        self._answering = Answering(platform, router)
        self._under_way: set[asyncio.Task[None]] = set()
        self._gateway = hikari.GatewayBot(
            settings.discord_bot_token,
            rest_url=settings.discord_url,
            banner=None,
            logs=None,
            intents=INTENTS,
            suppress_optimization_warning=True,
            auto_chunk_members=False,
            max_retries=RETRIES,
            cache_settings=CacheSettings(components=CacheComponents.NONE),
        )
        self._gateway.subscribe(hikari.InteractionCreateEvent, self._on_interaction)
        self._gateway.subscribe(hikari.MemberCreateEvent, self._on_member)

    async def start(self) -> None:
        """Connect and register the commands; from then on clicks are answered.

        Raises hikari.HikariError where Discord can't be reached, or wants nothing to do with us.
        """
        await self._gateway.start(check_for_updates=False)
        await self._register()

    async def join(self) -> None:
        """Return, or raise hikari.HikariError, when the connection is lost for good."""
        await self._gateway.join()

    async def close(self) -> None:
        """Finish the answers that are under way, then hang up."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=GRACE_SECONDS)
        if self._gateway.is_alive:
            await self._gateway.close()

    async def _register(self) -> None:
        """The commands of our server, or of every server where none is named."""
        settings, rest = self._platform.settings, self._gateway.rest
        guild = hikari.Snowflake(settings.discord_guild_id) if settings.discord_guild_id else hikari.UNDEFINED
        commands = [command_of(command) for command in self._router.commands.values()]
        await rest.set_application_commands(await rest.fetch_application(), commands, guild)

    async def _on_interaction(self, event: hikari.InteractionCreateEvent) -> None:
        interaction = event.interaction
        if interaction.user.is_bot:
            return
        if isinstance(interaction, hikari.CommandInteraction | hikari.ComponentInteraction):
            await self._noted(self._respond(interaction))

    async def _on_member(self, event: hikari.MemberCreateEvent) -> None:
        if not event.user.is_bot:
            await self._noted(members.joined(self._platform, str(event.user_id)))

    async def _noted(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it, known to `close` meanwhile."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await task

    async def _respond(self, interaction: hikari.CommandInteraction | hikari.ComponentInteraction) -> None:
        """Nothing is done for a click that could not be acknowledged: its author is told that it failed."""
        if not await acknowledged(interaction):
            return
        reply = await self._answering.answer(click_of(interaction))
        await _tell(interaction, reply)


async def acknowledged(interaction: hikari.CommandInteraction | hikari.ComponentInteraction) -> bool:
    """Tell Discord that the click arrived; False if it doesn't want to know any more."""
    try:
        if isinstance(interaction, hikari.CommandInteraction):
            await interaction.create_initial_response(
                hikari.ResponseType.DEFERRED_MESSAGE_CREATE, flags=hikari.MessageFlag.EPHEMERAL
            )
        else:
            await interaction.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_UPDATE)
    except hikari.HTTPError as error:
        if isinstance(error, hikari.BadRequestError) and error.code == ACKNOWLEDGED_BEFORE:
            return True
        logger.warning("a click could not be acknowledged: %s", reason_of(error))
        return False
    return True


async def _tell(interaction: hikari.CommandInteraction | hikari.ComponentInteraction, reply: Reply) -> None:
    """Show the answer. Where that fails what was done stays done: mails and pages tell it."""
    try:
        await interaction.edit_initial_response(
            reply.text,
            components=components_of(reply.rows),
            mentions_everyone=False,
            user_mentions=False,
            role_mentions=False,
        )
    except hikari.HTTPError as error:
        logger.warning("an answer could not be shown: %s", reason_of(error))


def reason_of(error: hikari.HTTPError) -> str:
    """What an error says but for its address: an interaction's holds a token with which anybody can answer for us."""
    if isinstance(error, hikari.HTTPResponseError):
        return f"{int(error.status)} {error.code}"
    return type(error).__name__


def click_of(interaction: hikari.CommandInteraction | hikari.ComponentInteraction) -> Click:
    """What was typed or clicked, as plain values."""
    who = str(interaction.user.id)
    if isinstance(interaction, hikari.CommandInteraction):
        given = {option.name: str(option.value) for option in interaction.options or ()}
        return Click(str(interaction.id), who, command=interaction.command_name, options=given)
    return Click(str(interaction.id), who, custom_id=interaction.custom_id, values=tuple(interaction.values))
