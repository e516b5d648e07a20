"""Mail by Resend. Its SDK keeps key and address in module globals: one account a process."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any, cast

import httpx
import resend
from resend.exceptions import ResendError
from resend.http_client_async import AsyncHTTPClient

from app.core import tls
from app.notifications.errors import DeliveryError, Postponed, Refused, Unknown
from app.settings import Settings

_OUR_ACCOUNT = {"missing_api_key", "invalid_api_key", "restricted_api_key"}
_KEY_IN_USE = "concurrent_idempotent_requests"


class OneContextClient(AsyncHTTPClient):
    """The SDK's own client builds a TLS context for every mail, 40 ms of computing: here one serves them all."""

    def __init__(self, timeout_seconds: int) -> None:
        self._timeout = timeout_seconds
        self._tls = tls.outgoing()

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: dict[str, object] | list[object] | None = None,
        files: dict[str, Any] | None = None,
        data: dict[str, str] | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request. Raises RuntimeError without an answer, which the SDK turns into its own error."""
        try:
            async with httpx.AsyncClient(timeout=self._timeout, verify=self._tls) as client:
                answer = await client.request(method, url, headers=headers, json=json, files=files, data=data)
        except httpx.RequestError as error:
            raise RuntimeError(f"Request failed: {error}") from error
        return answer.content, answer.status_code, answer.headers


class Resend:
    """The adapter. One call is one request; what to do about an error is the caller's business."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.resend_timeout_seconds
        resend.api_key = settings.resend_api_key
        resend.api_url = settings.resend_url.rstrip("/")
        resend.default_async_http_client = OneContextClient(math.ceil(self._seconds))

    async def send(self, params: dict[str, Any], key: str) -> str:
        """Send a mail (`params` as in Resend's `POST /emails`) under an idempotency key; returns Resend's id.

        Within 24 h Resend answers the same key and body with the first answer and sends nothing again.
        Raises Refused, Postponed, Unknown.
        """
        body = cast(resend.Emails.SendParams, params)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await resend.Emails.send_async(body, {"idempotency_key": key})
        except TimeoutError as error:
            raise Unknown(f"no answer within {self._seconds:g} s") from error
        except ResendError as error:
            raise _typed(error) from error
        return answer["id"]


def _typed(error: ResendError) -> DeliveryError:
    status, name = int(error.code or 500), error.error_type
    reason = f"{status} {name}"
    if status in (408, 429) or name == _KEY_IN_USE or name in _OUR_ACCOUNT:
        return Postponed(reason, _retry_after(error))
    if 400 <= status < 500:
        return Refused(f"{reason}: {error.message}")
    return Unknown(reason)


def _retry_after(error: ResendError) -> float:
    raw = {name.lower(): value for name, value in error.headers.items()}.get("retry-after", "")
    try:
        return max(0.0, float(raw))
    except ValueError:
        return 0.0
