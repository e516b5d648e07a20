"""Discord's REST interface, by hikari. One call is one attempt of bounded time; repeating it is the caller's business.

hikari would repeat requests by itself, wait minutes for a limit, and ask on and on while all of Discord is closed to us;
here it does none of that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import aiohttp
from hikari.errors import ClientHTTPResponseError, HikariError, RateLimitTooLongError, UnauthorizedError
from hikari.impl import HTTPSettings, MessageActionRowBuilder, RESTApp, RESTClientImpl
from hikari.messages import MessageFlag
from hikari.undefined import UNDEFINED

from app.core import tls
from app.notifications.errors import Closed, DeliveryError, Postponed, Refused, Unknown
from app.settings import Settings

# Discord's error codes. These mean that an account can't be written to: it is gone, takes no direct messages, shares no
# server with us.
_UNKNOWN_USER, _UNKNOWN_MEMBER = 10013, 10007
_UNREACHABLE: Final = {_UNKNOWN_USER, 50007, 50033, 50278}
_TOO_MANY_NEW_CHANNELS = 40003
_SHORTEST_WAIT = 0.05

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Button:
    """A link below a message: its label at most 80 characters, its address at most 512."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class DirectMessage:
    """What is written to somebody: `content` in Discord's markdown, at most 2000 characters."""

    content: str
    button: Button | None = None


class Discord:
    """The adapter. It connects when it is first used, in the event loop of that use."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.discord_url.rstrip("/")
        self._token = settings.discord_bot_token
        self._guild = settings.discord_guild_id
        self._role = settings.discord_mentee_role_id
        self._seconds = settings.discord_timeout_seconds
        self._starting = asyncio.Lock()
        self._app: RESTApp | None = None
        self._client: RESTClientImpl | None = None

    async def send(self, discord_user_id: str, message: DirectMessage, nonce: str) -> str:
        """Write to an account under a nonce (at most 25 characters); returns the message's id.

        For a few minutes Discord answers the same nonce with the first message and makes no other.
        Raises Closed, Refused, Postponed, Unknown.
        """
        to = int(discord_user_id)
        async with self._attempt() as attempt:
            rest = await self._rest()
            channel = await attempt.patiently(partial(rest.create_dm_channel, to))
            write = partial(
                rest.create_message,
                channel.id,
                message.content,
                flags=MessageFlag.SUPPRESS_EMBEDS,
                nonce=nonce,
                component=_row(message.button) if message.button else UNDEFINED,
                mentions_everyone=False,
                user_mentions=False,
                role_mentions=False,
            )
            sent = await attempt.patiently(write, leaves_open=True)
        return str(sent.id)

    async def give_role(self, discord_user_id: str) -> None:
        """Give an account the mentees' role; nothing to do for who isn't on the server, or without a role.

        Raises Refused, Postponed.
        """
        await self._change_role(discord_user_id, give=True)

    async def take_role(self, discord_user_id: str) -> None:
        """Take the mentees' role from an account, if it has it. As `give_role`."""
        await self._change_role(discord_user_id, give=False)

    async def close(self) -> None:
        """Give back the connections."""
        if self._client is not None and self._app is not None:
            await self._client.close()
            await self._app.close()
            self._app = self._client = None

    async def _change_role(self, discord_user_id: str, *, give: bool) -> None:
        if not self._guild or not self._role:
            return
        # Doing it twice is doing it once, so no answer is as good as a no.
        try:
            async with self._attempt() as attempt:
                rest = await self._rest()
                change = rest.add_role_to_member if give else rest.remove_role_from_member
                await attempt.patiently(
                    partial(change, int(self._guild), int(discord_user_id), int(self._role))
                )
        except _NotThere:
            return

    async def _rest(self) -> RESTClientImpl:
        async with self._starting:
            if self._client is None:
                self._app = RESTApp(
                    url=self._url,
                    http_settings=HTTPSettings(ssl=tls.outgoing(), max_redirects=None),
                    loads=_loads,
                    max_rate_limit=0.0,
                    max_retries=0,
                )
                await self._app.start()
                self._client = self._app.acquire(self._token, "Bot")
                self._client.start()
            return self._client

    @asynccontextmanager
    async def _attempt(self) -> AsyncIterator[_Attempt]:
        attempt = _Attempt(asyncio.get_running_loop().time() + self._seconds)
        try:
            async with asyncio.timeout_at(attempt.until):
                yield attempt
        except TimeoutError as error:
            raise attempt.failed(f"no answer within {self._seconds:g} s") from error
        except (HikariError, aiohttp.ClientError) as error:
            raise _typed(error, attempt) from error


@dataclass
class _Attempt:
    """`until`: when its time is over, by the loop's clock. `is_open`: a lost answer leaves the outcome open."""

    until: float
    is_open: bool = False

    async def patiently(self, request: Callable[[], Awaitable[T]], *, leaves_open: bool = False) -> T:
        """What `request` gives, made again after a rate limit that ends within the attempt's time."""
        while True:
            self.is_open = leaves_open
            try:
                return await request()
            except (RateLimitTooLongError, _Limited) as limit:
                self.is_open = False
                wait = max(limit.retry_after, _SHORTEST_WAIT)
                if asyncio.get_running_loop().time() + wait > self.until:
                    raise Postponed("429 rate limited", limit.retry_after) from limit
                await asyncio.sleep(wait)

    def failed(self, reason: str) -> DeliveryError:
        """The error for an attempt without an answer."""
        return Unknown(reason) if self.is_open else Postponed(reason)


class _Limited(Exception):
    """Too many requests; `retry_after` in seconds."""

    def __init__(self, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__("rate limited")


class _NotThere(Closed):
    """The account isn't on our server, or is no more."""


def _typed(error: Exception, attempt: _Attempt) -> DeliveryError:
    if isinstance(error, UnauthorizedError):
        return Postponed("401: Discord doesn't accept the bot's token")
    if isinstance(error, ClientHTTPResponseError):
        return _refusal(error)
    if isinstance(error.__cause__, aiohttp.ClientConnectorError):
        return Postponed(f"no connection: {type(error.__cause__).__name__}")
    return attempt.failed(_reason(error))


def _refusal(error: ClientHTTPResponseError) -> DeliveryError:
    reason = f"{int(error.status)} {error.code}: {error.message}"
    if error.status in (408, 429) or error.code == _TOO_MANY_NEW_CHANNELS:
        return Postponed(reason, _seconds(error.headers.get("Retry-After", "")))
    if error.code in (_UNKNOWN_USER, _UNKNOWN_MEMBER):
        return _NotThere(reason)
    return Closed(reason) if error.code in _UNREACHABLE else Refused(reason)


def _reason(error: Exception) -> str:
    """What an error says without what was said to Discord: the answer's status, or the kind of failure."""
    status = getattr(error, "status", None)
    return f"{int(status)} from Discord" if status is not None else type(error.__cause__ or error).__name__


def _loads(text: str | bytes) -> Any:
    """JSON of an answer; what says how long to wait is raised, or hikari would wait, and send again by itself."""
    value = json.loads(text)
    if isinstance(value, dict) and "retry_after" in value:
        raise _Limited(_seconds(value["retry_after"]))
    return value


def _seconds(raw: object) -> float:
    try:
        return max(0.0, float(str(raw)))
    except ValueError:
        return 0.0


def _row(button: Button) -> MessageActionRowBuilder:
    return MessageActionRowBuilder().add_link_button(button.url, label=button.label)
