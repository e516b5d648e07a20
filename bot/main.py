"""The bot as a process: it tries to reach Discord until it does, and again whenever it was lost."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Final

import hikari

from app import wiring
from app.core.tasks import end
from app.settings import Settings, SettingsError
from app.wiring import Platform
from bot import admin, mentees, packs
from bot.booking import book, mentor, sessions
from bot.gateway import Bot
from bot.router import Router

logger = logging.getLogger(__name__)

SLICES: Final = (sessions, book, packs, mentor, mentees, admin)
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 10.0
LIVED_SECONDS: Final = 60.0
STOP_SECONDS: Final = 4.0
CONNECTED: Final = "connected to Discord"
HINTS: Final[dict[object, str]] = {
    hikari.ShardCloseCode.AUTHENTICATION_FAILED: ". Is DISCORD_BOT_TOKEN right?",
    hikari.ShardCloseCode.DISALLOWED_INTENT: ". Switch on “Server Members Intent” in Discord's developer portal.",
}
NO_REASON_TO_WAIT: Final = (hikari.UnauthorizedError, hikari.ForbiddenError, hikari.BadRequestError)


def router() -> Router:
    """Every slice's commands and actions."""
    return Router(
        [command for slice_ in SLICES for command in slice_.COMMANDS],
        [action for slice_ in SLICES for action in slice_.ACTIONS],
    )


async def run(settings: Settings) -> int:
    """Answer people until SIGTERM or SIGINT; the exit code. Raises SettingsError where the settings don't allow it."""
    if not settings.discord_enabled:
        raise SettingsError("DISCORD_BOT_TOKEN is not set")
    platform = wiring.build(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    living = asyncio.create_task(keep_alive(platform))
    living.add_done_callback(lambda _: stop.set())
    try:
        await stop.wait()
        return _code(living) if living.done() else 0
    finally:
        living.cancel()
        await asyncio.wait({living}, timeout=STOP_SECONDS)
        await end(living)
        await platform.close()


def _code(ended: asyncio.Task[None]) -> int:
    """1 for a bot that Discord doesn't want, with the reason; what nobody expected is raised."""
    try:
        ended.result()
    except hikari.HikariError as error:
        hint = HINTS.get(getattr(error, "code", None), "")
        logger.error("Discord refuses the bot: %s%s", error, hint)
    return 1


async def keep_alive(platform: Platform) -> None:
    """One life after the other. Raises hikari.HikariError where another try would end the same."""
    pause = FIRST_PAUSE_SECONDS
    loop = asyncio.get_running_loop()
    while True:
        began, bot = loop.time(), Bot(platform, router())
        try:
            await bot.start()
            print(CONNECTED, flush=True)  # what `make run` waits for
            await bot.join()
            logger.warning("Discord hung up")
        except NO_REASON_TO_WAIT:
            raise
        except hikari.GatewayServerClosedConnectionError as error:
            if not error.can_reconnect:
                raise
            logger.warning("Discord hung up: %s", error)
        except (hikari.HTTPError, hikari.GatewayError, OSError) as error:
            logger.warning("Discord can't be reached: %s; trying again in %g s", error, pause)
        finally:
            await bot.close()
        if loop.time() - began > LIVED_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
