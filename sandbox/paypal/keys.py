"""PayPal's promises about repeated requests, and its access tokens."""

from __future__ import annotations

import hashlib
import secrets
import time

from sandbox.paypal.errors import TokenError, unprocessable
from sandbox.paypal.models import Used
from sandbox.state import Collection, Store

KEY_SECONDS = 6 * 3600
TOKEN_SECONDS = 9 * 3600


class Keys:
    """Used PayPal-Request-Ids; only what was done is kept, never a refusal."""

    def __init__(self, store: Store) -> None:
        self._used: Collection[Used] = store.collection("paypal.keys_used", Used)

    def known(self, operation: str, key: str, body: bytes) -> str | None:
        """What the first request with this key made. Raises PayPalError 422 if it came with another body."""
        used = self._used.get(f"{operation} {key}") if key else None
        if used is None or used.until <= time.time():
            return None
        if used.digest != _digest(body):
            raise unprocessable("DUPLICATE_REQUEST_ID", "PayPal-Request-Id", key)
        return used.made

    def keep(self, operation: str, key: str, body: bytes, made: str) -> None:
        """Let the key stand for what was made, for 6 hours."""
        if key:
            self._used.put(f"{operation} {key}", Used(_digest(body), made, time.time() + KEY_SECONDS))

    def expire(self) -> int:
        """Forget every key, as after 6 hours; gives their number."""
        count = len(self._used)
        self._used.clear()
        return count


class Tokens:
    """Access tokens that are good until an instant of machine time."""

    def __init__(self, store: Store) -> None:
        self._until: Collection[float] = store.collection("paypal.tokens", float)

    def give(self) -> str:
        """A new access token."""
        token = "A21AA" + secrets.token_urlsafe(48)
        self._until.put(token, time.time() + TOKEN_SECONDS)
        return token

    def check(self, header: str) -> None:
        """Accept an Authorization header with a good token. Raises TokenError 401."""
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer" or (self._until.get(token) or 0.0) <= time.time():
            raise TokenError(401, "invalid_token", "Token signature verification failed")

    def expire(self) -> int:
        """Let no token be good any more; gives their number."""
        count = len(self._until)
        self._until.clear()
        return count


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
