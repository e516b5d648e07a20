"""hikari, pointed at the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import hikari

from tests.support.sandbox import RunningSandbox

STUDENT = 100000000000000001
NEW_STUDENT = 100000000000000003
MENTOR = 100000000000000004
LOUNGE = 1000000000000000005


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
