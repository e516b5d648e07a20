"""Where Google speaks to us: mentors who come back from its consent page, and its push messages."""

from __future__ import annotations

from litestar import Response, post

from app.accounts.oauth import Grant
from app.calendars import service
from app.calendars.google import Google
from app.core.errors import NotFound, Refused, Unavailable
from app.core.web import AppRequest, Flash, see_other, viewer_of

SETTINGS = "/instructor/settings"
CONNECTED = (
    "Google Calendar is connected. Times you are busy are no longer offered, and bookings will appear there."
)


async def finish_connection(request: AppRequest, grant: Grant) -> Response[str]:
    """Keep what the mentor allowed (`google_purposes["calendar"]`); the settings page tells what went wrong."""
    viewer = viewer_of(request)
    if viewer is None or viewer.id != grant.user_id:
        raise NotFound
    google: Google = request.app.state.platform.google
    try:
        await service.connect(
            request.app.state.database,
            google,
            viewer.id,
            google_email=grant.userinfo.email,
            refresh_token=grant.credentials.refresh_token,
            scopes=grant.credentials.scopes,
        )
    except (Refused, Unavailable) as error:
        return see_other(request, SETTINGS, Flash("problem", error.detail))
    return see_other(request, SETTINGS, Flash("done", CONNECTED))


@post("/api/webhooks/google", operation_id="google_push", exclude_from_csrf=True, status_code=204)
async def google_push(request: AppRequest) -> None:
    """A calendar changed: Google's message has no body, its headers name the channel and carry our secret."""
    said = request.headers
    channel_id, secret = said.get("x-goog-channel-id"), said.get("x-goog-channel-token")
    if not channel_id or not secret:
        raise NotFound
    state, number = said.get("x-goog-resource-state", ""), said.get("x-goog-message-number", "")
    await service.hear(request.app.state.database, channel_id, secret, state, number)


GOOGLE_PURPOSES = {"calendar": finish_connection}
HANDLERS = [google_push]
