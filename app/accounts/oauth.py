"""Google's side of a trip to its consent page: the page's address, and what the code that comes back is good for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import requests
from google_auth_oauthlib.flow import Flow
from oauthlib.oauth2 import OAuth2Error

from app.accounts.identities import UserInfo
from app.core.errors import Refused, Unavailable
from app.core.unit_of_work import Role
from app.settings import Settings

logger = logging.getLogger(__name__)
# These log codes and tokens when everything is logged.
for _name in ("requests_oauthlib.oauth2_session", "oauthlib.oauth2.rfc6749.clients.base"):
    logging.getLogger(_name).setLevel(logging.INFO)

CALLBACK = "/auth/google/callback"
_GOOGLE = "https://www.googleapis.com/auth/"
# Spelled as Google answers: asked for as "email", they would come back under another name.
_IDENTITY = ("openid", f"{_GOOGLE}userinfo.email", f"{_GOOGLE}userinfo.profile")


@dataclass(frozen=True)
class Purpose:
    """What a trip is for: which scopes it asks for, who may set out (None: anybody), whether a refresh token is needed."""

    scopes: tuple[str, ...]
    signed_in: bool = True
    role: Role | None = None
    offline: bool = False


PURPOSES = {
    "sign-in": Purpose(_IDENTITY, signed_in=False),
    "link": Purpose(_IDENTITY),
    "calendar": Purpose(
        (*_IDENTITY, f"{_GOOGLE}calendar.events", f"{_GOOGLE}calendar.calendarlist.readonly"),
        role=Role.MENTOR,
        offline=True,
    ),
}


@dataclass(frozen=True)
class Credentials:
    """What Google gave for the code. `refresh_token` only where offline access was asked for."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scopes: frozenset[str]


@dataclass(frozen=True)
class Grant:
    """A trip's outcome, handed to the function that its purpose names."""

    user_id: UUID | None
    details: Mapping[str, Any]
    credentials: Credentials
    userinfo: UserInfo


class GoogleOAuth:
    """The adapter: builds the consent page's address and exchanges the code that comes back."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._timeout = settings.google_timeout_seconds

    def consent_page(self, purpose: Purpose, state: str, verifier: str) -> str:
        """The address of Google's consent page, with the S256 challenge of `verifier`."""
        asking = {"access_type": "offline", "prompt": "consent"} if purpose.offline else {}
        url: str
        url, _ = self._flow(purpose, verifier).authorization_url(
            state=state, **({"access_type": "online", "prompt": "select_account"} | asking)
        )
        return url

    async def exchange(self, purpose: Purpose, code: str, verifier: str) -> tuple[Credentials, UserInfo]:
        """Credentials and account for a code. No transaction may be open meanwhile.

        Raises Refused("google_refused") for a code that Google doesn't take, Refused("google_scopes_missing") if less
        was allowed than asked for, Unavailable if Google doesn't answer in time or not sensibly.
        """
        patience = 2 * self._timeout + 1  # each of the two calls has its own limit; this holds for both
        try:
            async with asyncio.timeout(patience):
                return await asyncio.to_thread(self._exchange, purpose, code, verifier)
        except OAuth2Error as error:
            logger.info("google took no code: %s", error.error)
            if error.error != "invalid_grant":
                raise Unavailable(_UNAVAILABLE) from error
            raise Refused("google_refused", _REFUSED, status=422) from error
        except (TimeoutError, requests.RequestException, msgspec.MsgspecError, ValueError) as error:
            logger.warning("google could not be asked: %s", type(error).__name__)
            raise Unavailable(_UNAVAILABLE) from error

    def _exchange(self, purpose: Purpose, code: str, verifier: str) -> tuple[Credentials, UserInfo]:
        flow = self._flow(purpose, verifier)
        token = flow.fetch_token(code=code, timeout=self._timeout)
        granted = frozenset(token.get("scope") or purpose.scopes)
        if not granted.issuperset(purpose.scopes):
            raise Refused("google_scopes_missing", _SCOPES_MISSING, status=422)
        answer = flow.oauth2session.get(self._settings.google_userinfo_url, timeout=self._timeout)
        answer.raise_for_status()
        credentials = Credentials(token["access_token"], token.get("refresh_token"), granted)
        return credentials, msgspec.convert(answer.json(), UserInfo, strict=False)

    def _flow(self, purpose: Purpose, verifier: str) -> Flow:
        settings = self._settings
        client = {
            "client_id": settings.google_client_id,
            "client_secret": settings.google_client_secret,
            "auth_uri": settings.google_authorize_url,
            "token_uri": settings.google_token_url,
        }
        return Flow.from_client_config(
            {"web": client},
            list(purpose.scopes),
            redirect_uri=settings.public_url.rstrip("/") + CALLBACK,
            code_verifier=verifier,
        )


_REFUSED = "Google didn't accept the way back. Nothing was changed; please start again."
_UNAVAILABLE = "Google doesn't answer at the moment. Nothing was changed; please try again in a few minutes."
_SCOPES_MISSING = (
    "Google was not allowed everything that is needed. Nothing was changed; please tick every box there."
)
