"""One call to Google: in a thread, with its own connection, within the time limit, its failures named.

google-api-python-client is synchronous and httplib2 not thread-safe: each call gets a fresh AuthorizedHttp.
Access tokens are kept in memory until they expire, so that a call is one request and not two.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

import httplib2
from google.auth.exceptions import RefreshError, TransportError
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.errors import HttpError

from app.calendars.errors import GoogleError, GoogleRefused, GoogleUnavailable, GrantRevoked
from app.settings import Settings

THREADS = 32
ACCESS_TOKENS = 2048
_OVER_QUOTA = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "calendarUsageLimitsExceeded"}
_NOT_ALLOWED = {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
_GRANT_ERRORS = {"invalid_grant", "unauthorized_client"}

# Timeouts are OSErrors; an answer that is no JSON comes from something in between, not from Google.
_UNREACHABLE = (
    OSError,
    httplib2.HttpLib2Error,
    http.client.HTTPException,
    TransportError,
    json.JSONDecodeError,
)

Meanings = Mapping[int, type[GoogleError]]
Answer = TypeVar("Answer")


class Transport:
    """Google's Calendar interface for one process: threads, what may be asked, access tokens."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="google")
        self._access: dict[str, tuple[str, datetime | None]] = {}
        # The description is read and turned into methods once; only connections are made anew each time.
        service = build_from_document(
            json.loads(get_static_doc("calendar", "v3")),
            http=httplib2.Http(),
            client_options={"api_endpoint": settings.google_calendar_url},
        )
        self.events = service.events()
        self.calendars = service.calendarList()
        self.channels = service.channels()

    async def call(
        self, refresh_token: str, request: Any, meanings: Meanings | None = None
    ) -> dict[str, Any]:
        """The answer to `request`, a request of the client library, made with the grant of `refresh_token`.

        `meanings`: errors that this call's own statuses stand for. Raises those, GrantRevoked,
        GoogleUnavailable or GoogleRefused.
        """
        return await self._within_time(lambda: self._execute(refresh_token, request, meanings or {}))

    async def post_form(self, url: str, body: str) -> int:
        """Post a form without a grant; gives the status. Raises GoogleUnavailable."""
        headers = {"content-type": "application/x-www-form-urlencoded"}

        def post() -> int:
            return int(self._connection().request(url, "POST", body, headers)[0].status)

        return await self._within_time(post)

    def forget(self, refresh_token: str) -> None:
        """Keep no access token of this grant."""
        self._access.pop(refresh_token, None)

    def close(self) -> None:
        """Stop the threads; calls under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _within_time(self, work: Callable[[], Answer]) -> Answer:
        """The limit counts waiting for a thread, a fresh access token and slow answers together."""
        loop = asyncio.get_running_loop()
        try:
            future = loop.run_in_executor(self._pool, work)
            return await asyncio.wait_for(future, self._settings.google_timeout_seconds)
        except _UNREACHABLE as error:
            raise GoogleUnavailable(f"{type(error).__name__}: {error}") from error

    def _execute(self, refresh_token: str, request: Any, meanings: Meanings) -> dict[str, Any]:
        credentials = self._credentials(refresh_token)
        known = credentials.token
        try:
            answer = request.execute(http=AuthorizedHttp(credentials, http=self._connection()))
        except HttpError as error:
            raise meaning_of(error, meanings) from error
        except RefreshError as error:
            self.forget(refresh_token)
            raise _refresh_failure(error) from error
        finally:
            if credentials.token and credentials.token != known:
                self._remember(refresh_token, credentials.token, credentials.expiry)
        return answer if isinstance(answer, dict) else {}

    def _connection(self) -> httplib2.Http:
        return httplib2.Http(timeout=self._settings.google_timeout_seconds)

    def _credentials(self, refresh_token: str) -> Credentials:
        token, expiry = self._access.get(refresh_token, (None, None))
        return Credentials(  # type: ignore[no-untyped-call]
            token,
            refresh_token=refresh_token,
            token_uri=self._settings.google_token_url,
            client_id=self._settings.google_client_id,
            client_secret=self._settings.google_client_secret,
            expiry=expiry,
        )

    def _remember(self, refresh_token: str, token: str, expiry: datetime | None) -> None:
        if len(self._access) >= ACCESS_TOKENS:
            self._access.clear()
        self._access[refresh_token] = (token, expiry)


def meaning_of(error: HttpError, meanings: Meanings) -> GoogleError:
    """The named failure behind an error answer; `meanings` of this call's statuses go first."""
    status, reason, location = int(error.resp.status), *_detail(error)
    message = f"{status} {reason}: {error.reason}"
    if status == 400 and location == "syncToken":
        status = 410
    if status in meanings:
        return meanings[status](message)
    if status in (408, 429) or status >= 500 or reason in _OVER_QUOTA:
        return GoogleUnavailable(message)
    # 401 is also Google's answer to an address it will not push to: that has nothing to do with the grant.
    if (status == 401 and not reason.startswith("push.")) or reason in _NOT_ALLOWED:
        return GrantRevoked(message)
    return GoogleRefused(status, reason, error.reason)


def _detail(error: HttpError) -> tuple[str, str]:
    """Google's reason and the parameter at fault, each empty where not told."""
    details = error.error_details
    first = details[0] if isinstance(details, list) and details else {}
    if not isinstance(first, dict):
        return "", ""
    return str(first.get("reason", "")), str(first.get("location", ""))


def _refresh_failure(error: RefreshError) -> GoogleError:
    """A refresh token that no longer works; all else (a wrong client secret, too) is no fault of the grant."""
    told = error.args[1] if len(error.args) > 1 else {}
    code = told.get("error") if isinstance(told, dict) else None
    return GrantRevoked(str(code)) if code in _GRANT_ERRORS else GoogleUnavailable(str(error.args[0]))
