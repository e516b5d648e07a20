"""Discord's side of a trip to its consent page: the page's address, and whose account the code that comes back names."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import aiohttp
import hikari
from hikari.impl.config import HTTPSettings, HTTPTimeoutSettings
from hikari.impl.rest import RESTApp, RESTClientImpl

from app.accounts import rules
from app.accounts.discord import DiscordAccount
from app.core import tls
from app.core.errors import Refused, Unavailable
from app.settings import Settings

logger = logging.getLogger(__name__)

CALLBACK = "/auth/discord/callback"
SCOPE = "identify"
_NAME_LENGTH = 80
# What hikari lets through: its own errors, the network's, and answers that aren't what Discord promises.
_FAILURES = (
    *(hikari.HikariError, aiohttp.ClientError, TimeoutError),
    *(AssertionError, LookupError, TypeError, ValueError),
)


class DiscordOAuth:
    """The adapter: builds the consent page's address and asks whose account it was. The access token is dropped at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._redirect_uri = settings.public_url.rstrip("/") + CALLBACK

    def consent_page(self, state: str, verifier: str) -> str:
        """The address of Discord's consent page, with the S256 challenge of `verifier`."""
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._settings.discord_client_id,
            "scope": SCOPE,
            "state": state,
            "redirect_uri": self._redirect_uri,
            "prompt": "consent",  # the page says as whom: they may want another of their accounts
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self._settings.discord_authorize_url}?{urlencode(query)}"

    async def account(self, code: str, verifier: str) -> DiscordAccount:
        """The account that allowed it. No transaction may be open meanwhile.

        Raises Refused("discord_refused") for a code that Discord doesn't take, Unavailable if Discord doesn't answer in
        time or not sensibly.
        """
        try:
            async with asyncio.timeout(2 * self._settings.discord_timeout_seconds), self._rest() as rest:
                return await self._account(rest, code, verifier)
        except hikari.BadRequestError as error:
            logger.info("discord took no code")
            raise Refused("discord_refused", _REFUSED, status=422) from error
        except _FAILURES as error:
            logger.warning("discord could not be asked: %s", type(error).__name__)
            raise Unavailable(_UNAVAILABLE) from error

    async def _account(self, rest: RESTApp, code: str, verifier: str) -> DiscordAccount:
        application = hikari.Snowflake(self._settings.discord_client_id)
        secret = self._settings.discord_client_secret
        async with rest.acquire() as client:
            token = await client.authorize_access_token(
                application, secret, code, self._redirect_uri, code_verifier=verifier
            )
            try:
                async with rest.acquire(token.access_token) as theirs:
                    user = await theirs.fetch_my_user()
            finally:
                await self._revoke(client, application, token.access_token)
        return DiscordAccount(str(user.id), _name_of(user))

    async def _revoke(self, client: RESTClientImpl, application: hikari.Snowflake, token: str) -> None:
        """Nobody needs the token any more. Without this it would end by itself in a week."""
        try:
            await client.revoke_access_token(application, self._settings.discord_client_secret, token)
        except _FAILURES as error:
            logger.warning("discord kept a token that is no longer used: %s", type(error).__name__)

    @asynccontextmanager
    async def _rest(self) -> AsyncIterator[RESTApp]:
        """hikari, asking once: somebody sits before the page."""
        seconds = self._settings.discord_timeout_seconds
        rest = RESTApp(
            http_settings=HTTPSettings(ssl=tls.outgoing(), timeouts=HTTPTimeoutSettings(total=seconds)),
            max_rate_limit=seconds,
            max_retries=0,
            url=self._settings.discord_url,
        )
        await rest.start()
        try:
            yield rest
        finally:
            await rest.close()


def _name_of(user: hikari.User) -> str:
    """The one name that nobody else has at Discord."""
    name = user.username if user.discriminator == "0" else f"{user.username}#{user.discriminator}"
    return rules.tidy(name)[:_NAME_LENGTH]


_REFUSED = "Discord didn't accept the way back. Nothing was changed; please start again."
_UNAVAILABLE = "Discord doesn't answer at the moment. Nothing was changed; please try again in a few minutes."
