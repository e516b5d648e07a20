"""One call to PayPal: in a thread, within the time limit, with a token that is good, its failures named.

PayPal's client is synchronous. Left to itself it hides why a token could not be had, and never asks for another one
before the first has run out: tokens are fetched here, and a client is made for each.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar

from paypalserversdk.configuration import Configuration, Server
from paypalserversdk.exceptions.api_exception import ApiException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.models.o_auth_token import OAuthToken
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient
from requests import RequestException

from app.payments.gateway import ProviderRefused, ProviderUnavailable
from app.settings import Settings

THREADS = 16
EARLY_SECONDS = 300  # a token is replaced so long before it runs out
Answer = TypeVar("Answer")
Client: TypeAlias = Any  # the SDK's PaypalServersdkClient, untyped as all of the SDK


class _Configuration(Configuration):  # type: ignore[misc]
    """The SDK's configuration with our address of the interface, which the token endpoint shares."""

    def __init__(self, settings: Settings, token: OAuthToken | None) -> None:
        self._base_uri = settings.paypal_url
        credentials = ClientCredentialsAuthCredentials(
            settings.paypal_client_id, settings.paypal_client_secret, o_auth_token=token
        )
        super().__init__(
            timeout=settings.paypal_timeout_seconds, client_credentials_auth_credentials=credentials
        )

    def get_base_uri(self, server: Server = Server.DEFAULT) -> str:
        """The address that calls begin with."""
        return self._base_uri


class Transport:
    """PayPal's interface for one process: threads, and a client with an access token."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="paypal")
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._good_until = 0.0

    async def call(self, call: Callable[[Client], Any]) -> dict[str, Any]:
        """The decoded answer to one call of the SDK. Raises ProviderUnavailable and ProviderRefused."""
        return await self._within_time(lambda: self._execute(call))

    async def check(self) -> None:
        """Ask for a new access token. Raises ProviderUnavailable, and ProviderRefused for a key that isn't good."""
        await self._within_time(self._fetch_token)

    def close(self) -> None:
        """Stop the threads; calls under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _within_time(self, work: Callable[[], Answer]) -> Answer:
        """The limit counts waiting for a thread, a fresh token and slow answers together."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await asyncio.wait_for(future, self._settings.paypal_timeout_seconds)
        except ApiException as error:
            raise meaning_of(error) from error
        except (RequestException, TimeoutError, json.JSONDecodeError) as error:
            raise ProviderUnavailable(f"{type(error).__name__}: {error}") from error

    def _execute(self, call: Callable[[Client], Any]) -> dict[str, Any]:
        client = self._current()
        try:
            answer = call(client)
        except ApiException as error:
            if error.response_code != 401:
                raise
            # PayPal may withdraw a token early; it did nothing then, so the call is safe to make again.
            answer = call(self._current(instead_of=client))
        decoded = json.loads(answer.text)
        return decoded if isinstance(decoded, dict) else {}

    def _current(self, instead_of: Client | None = None) -> Client:
        """A client with a token that is good, as far as known."""
        with self._lock:
            if self._client is None or self._client is instead_of or time.monotonic() > self._good_until:
                token = self._fetch_token()
                self._good_until = time.monotonic() + int(token.expires_in) - EARLY_SECONDS
                self._client = PaypalServersdkClient(config=_Configuration(self._settings, token))
            return self._client

    def _fetch_token(self) -> OAuthToken:
        client = PaypalServersdkClient(config=_Configuration(self._settings, None))
        keys = f"{self._settings.paypal_client_id}:{self._settings.paypal_client_secret}"
        basic = b64encode(keys.encode()).decode()
        token = client.o_auth_authorization.request_token({"authorization": f"Basic {basic}"}).body
        if not isinstance(token, OAuthToken) or not token.access_token:
            raise ProviderUnavailable("the token endpoint's answer holds no token")
        return token


def meaning_of(error: ApiException) -> ProviderUnavailable | ProviderRefused:
    """What an error answer says: whether PayPal did nothing for sure, and in its own words why.

    A refusal that isn't worded as PayPal's comes from something in between, and tells nothing. Nor does one of our key:
    what was asked for may have been done before.
    """
    status = int(error.response_code)
    code, message = _told(error)
    if code and 400 <= status < 500 and status not in (401, 408, 429):
        return ProviderRefused(code, message)
    return ProviderUnavailable(f"{status} {code}: {message}")


def _told(error: ApiException) -> tuple[str, str]:
    """PayPal's issue (or name of the error), empty if it isn't PayPal's, and its sentence."""
    try:
        body = json.loads(error.response.text or "{}")
    except json.JSONDecodeError:
        body = {}
    body = body if isinstance(body, dict) else {}
    details = body.get("details")
    detail = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    code = detail.get("issue") or body.get("name") or body.get("error") or ""
    words = detail.get("description") or body.get("message") or body.get("error_description") or error.reason
    where = f" ({detail['field']})" if detail.get("field") else ""
    return str(code), f"{words}{where}"
