"""hikari, pointed at the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import hikari

from tests.support.sandbox import RunningSandbox

STUDENT = 100000000000000001
NEW_STUDENT = 100000000000000003
MENTOR = 100000000000000004
LOUNGE = 1000000000000000005
GUILD = 1000000000000000002
INTENTS = hikari.Intents.GUILDS


def api(sandbox: RunningSandbox) -> str:
    """The base address of Discord's interface."""
    return f"{sandbox.url}/discord/api/v10"


@asynccontextmanager
async def bot_rest(sandbox: RunningSandbox, token: str = "") -> AsyncIterator[hikari.impl.RESTClientImpl]:
    """hikari's REST client with the bot's token."""
    app = hikari.RESTApp(url=api(sandbox))
    await app.start()
    try:
        async with app.acquire(token or sandbox.settings.discord_bot_token, hikari.TokenType.BOT) as client:
            yield client
    finally:
        await app.close()


@asynccontextmanager
async def gateway_bot(
    sandbox: RunningSandbox,
    *listeners: Callable[[hikari.InteractionCreateEvent], Awaitable[None]],
    intents: hikari.Intents = INTENTS,
) -> AsyncIterator[hikari.GatewayBot]:
    """hikari's bot, ready at the gateway; the listeners get every interaction."""
    bot = hikari.GatewayBot(
        sandbox.settings.discord_bot_token, rest_url=api(sandbox), banner=None, logs=None, intents=intents
    )
    for listener in listeners:
        bot.subscribe(hikari.InteractionCreateEvent, listener)
    await bot.start(check_for_updates=False)
    try:
        yield bot
    finally:
        await bot.close()


async def register(bot: hikari.GatewayBot, *names: str) -> None:
    """Let these be the server's commands, without options."""
    builders = [bot.rest.slash_command_builder(name, f"Does {name}") for name in names]
    await bot.rest.set_application_commands(bot.get_me() or 0, builders, guild=GUILD)
