"""Idempotency keys: the first answer to a key is kept for 24 hours and given again, a 500 too."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import msgspec

from sandbox.state import Collection, Store
from sandbox.stripe.errors import StripeError
from sandbox.vendors import Answer

KEY_SECONDS = 24 * 3600
REPLAYED = ("idempotent-replayed", "true")


class Used(msgspec.Struct, frozen=True):
    """A used key: where it was used, digest of its parameters, until when (machine time) it holds, the answer."""

    path: str
    digest: str
    until: float
    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


class Keys:
    """All used keys."""

    def __init__(self, store: Store) -> None:
        self._used: Collection[Used] = store.collection("stripe.keys", Used)

    def kept(self, key: str, path: str, params: Any) -> Answer | None:
        """The answer that the key stands for. Raises StripeError 400 if it came with another request."""
        if len(key) > 255:
            raise StripeError(
                400, "Idempotency-Key can be at most 255 characters.", type_="idempotency_error"
            )
        used = self._used.get(key)
        if used is None or used.until <= time.time():
            return None
        if used.path != path or used.digest != _digest(params):
            raise StripeError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                type_="idempotency_error",
            )
        return Answer(used.status, used.body, (*used.headers, REPLAYED))

    def keep(self, key: str, path: str, params: Any, answer: Answer) -> None:
        """Let the key stand for an answer."""
        until = time.time() + KEY_SECONDS
        self._used.put(
            key, Used(path, _digest(params), until, answer.status, answer.body, tuple(answer.headers))
        )

    def expire(self) -> int:
        """Forget every key, as after 24 hours; gives their number."""
        count = len(self._used)
        self._used.clear()
        return count


def _digest(params: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(params, order="deterministic")).hexdigest()
