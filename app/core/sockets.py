"""WebSockets before they are accepted: from which page they come, and how they are turned away."""

from __future__ import annotations

from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.types import Scope, Send
from litestar.types.asgi_types import WebSocketResponseBodyEvent, WebSocketResponseStartEvent

from app.core.errors import AppError, TooManyRequests
from app.core.problems import problem_json

POLICY_VIOLATION = 1008
_RESPONSE = "websocket.http.response"


def comes_from_us(scope: Scope, public_url: str) -> bool:
    """True if a page of this site opened it: browsers say where a socket comes from, and send cookies from anywhere.

    Ours are the pages at `public_url`, and those at the very host that the socket asks for.
    """
    headers = ASGIConnection(scope).headers
    origin = urlsplit(headers.get("origin", ""))
    if origin.scheme not in ("http", "https") or not origin.netloc:
        return False
    ours = urlsplit(public_url)
    return (origin.scheme, origin.netloc) == (ours.scheme, ours.netloc) or origin.netloc == headers.get(
        "host"
    )


async def turn_away(scope: Scope, send: Send, error: AppError) -> None:
    """Answer a handshake with `error` as a problem document; where the server can't, it answers with a mere 403."""
    if _RESPONSE not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": error.code})
        return
    headers = {"content-type": "application/problem+json", "cache-control": "private, no-store"}
    if isinstance(error, TooManyRequests):
        headers["retry-after"] = str(error.retry_after_seconds)
    start: WebSocketResponseStartEvent = {
        "type": "websocket.http.response.start",
        "status": error.status,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    body: WebSocketResponseBodyEvent = {
        "type": "websocket.http.response.body",
        "body": problem_json(error).content,
        "more_body": False,
    }
    await send(start)
    await send(body)
