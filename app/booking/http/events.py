"""`/events`: server-sent events about the times of one mentor. No ids, no names: only ranges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_user
from app.booking.live import Change, Hub
from app.booking.offers import instant
from app.core.errors import BadRequest, Forbidden, NotFound
from app.core.ids import identifier
from app.core.templating import iso
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Viewer
from app.mentors import repository as mentors

KEEP_ALIVE_SECONDS: Final = 20.0
RECONNECT_MS: Final = 3000


@get("/events", include_in_schema=False, guards=[requires_user])
async def slots_changed(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    mentor_id: FromQuery[str | None] = None,
) -> Stream:
    """Tell for as long as the page is open in which ranges the mentor's offers may have changed."""
    if viewer.role is Role.ADMIN:
        raise Forbidden
    if mentor_id is None:
        raise BadRequest("mentor_id: name the instructor whose times you want to hear about.")
    id_ = identifier(mentor_id, "mentor_id")
    if await mentors.by_id(uow, id_) is None:
        raise NotFound
    hub: Hub = request.app.state.live
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return Stream(frames(hub, id_), media_type="text/event-stream", headers=headers)


async def frames(
    hub: Hub, mentor_id: UUID, keep_alive_seconds: float = KEEP_ALIVE_SECONDS
) -> AsyncIterator[str]:
    """The stream's frames until the hub closes; a comment where nothing happens for a while."""
    with hub.subscribed(mentor_id) as queue:
        yield f"retry: {RECONNECT_MS}\n\n"
        while True:
            try:
                change = await asyncio.wait_for(queue.get(), keep_alive_seconds)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if change is None:
                return
            yield _frame(change)


def _frame(change: Change) -> str:
    start, end = iso(instant(change.start)), iso(instant(change.end))
    return f'event: slots\ndata: {{"start": "{start}", "end": "{end}"}}\n\n'


HANDLERS: list[ControllerRouterHandler] = [slots_changed]
