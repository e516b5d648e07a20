"""Where Google speaks to us: its push messages, and mentors who come back from its consent page."""

from __future__ import annotations

from typing import Any

from litestar import Request, post

from app.calendars import service
from app.core.errors import NotFound

AppRequest = Request[Any, Any, Any]


@post("/api/webhooks/google", operation_id="google_push", exclude_from_csrf=True, status_code=204)
async def google_push(request: AppRequest) -> None:
    """A calendar changed: Google's message has no body, its headers name the channel and carry our secret."""
    said = request.headers
    channel_id, secret = said.get("x-goog-channel-id"), said.get("x-goog-channel-token")
    if not channel_id or not secret:
        raise NotFound
    state, number = said.get("x-goog-resource-state", ""), said.get("x-goog-message-number", "")
    await service.hear(request.app.state.database, channel_id, secret, state, number)


HANDLERS = [google_push]
