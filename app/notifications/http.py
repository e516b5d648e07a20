"""Where Resend speaks to us."""

from __future__ import annotations

import logging

from litestar import post
from litestar.types import ControllerRouterHandler

from app.core.errors import BadRequest
from app.core.inbox import ForgedWebhook
from app.core.middleware import unit_of_work
from app.core.web import AppRequest
from app.notifications import webhooks

logger = logging.getLogger(__name__)


@post("/api/webhooks/resend", operation_id="resend_webhook", exclude_from_csrf=True, status_code=200)
async def resend(request: AppRequest) -> dict[str, bool]:
    """A delivery from Resend about a mail: 200 once it is kept, 400 if it isn't Resend's."""
    await unit_of_work(request.scope).commit()  # so that no request holds two connections
    platform = request.app.state.platform
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        new = await webhooks.receive(platform.database, platform.settings, await request.body(), headers)
    except ForgedWebhook as error:
        logger.warning("a webhook that is not Resend's was refused: %s", error)
        raise BadRequest("This delivery can't be trusted. Nothing was kept.", code="forged") from error
    return {"received": True, "new": new}


HANDLERS: list[ControllerRouterHandler] = [resend]
