"""Gzip for those who take it: answers of some length, and files as they stream."""

from __future__ import annotations

import zlib
from typing import Any

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

LEVEL = 4
AT_LEAST_BYTES = 1000
_GZIP_FORMAT = 31  # zlib's number for gzip with the largest window

Headers = list[tuple[bytes, bytes]]


class Compression(ASGIMiddleware):
    """Leaves alone what is short, encoded already, or a stream of events, which nobody wants to wait for.

    The framework's own takes twice the time: it writes through a file, and flushes what is complete anyway.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Compress on the way out."""
        takes = any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
        await next_app(scope, receive, _Compressor(send).pass_on if takes else send)


class _Compressor:
    """Holds the start of an answer back until the first part of its body says whether compressing is worth it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: HTTPResponseStartEvent | None = None
        self._gzip: Any = None

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] == "http.response.body":
            start, self._start = self._start, None
            body, more = message["body"], message.get("more_body", False)
            if start is not None and _worth_it(list(start["headers"]), body, more):
                self._gzip = zlib.compressobj(LEVEL, wbits=_GZIP_FORMAT)
            if self._gzip is not None:
                body = self._gzip.compress(body) + (b"" if more else self._gzip.flush())
                message["body"] = body
            if start is not None:
                if self._gzip is not None:
                    start["headers"] = _encoded(list(start["headers"]), None if more else len(body))
                await self._send(start)
        await self._send(message)


def _worth_it(headers: Headers, body: bytes, more: bool) -> bool:
    if not more and len(body) < AT_LEAST_BYTES:
        return False
    return not any(
        name == b"content-encoding" or (name == b"content-type" and value.startswith(b"text/event-stream"))
        for name, value in headers
    )


def _encoded(headers: Headers, length: int | None) -> Headers:
    """`headers` for a gzipped body of `length` bytes, None where only its end will tell."""
    kept = [(name, value) for name, value in headers if name not in (b"content-length", b"vary")]
    vary = [value for name, value in headers if name == b"vary"]
    kept.append((b"vary", b", ".join([*vary, b"Accept-Encoding"])))
    kept.append((b"content-encoding", b"gzip"))
    if length is not None:
        kept.append((b"content-length", str(length).encode()))
    return kept
