"""`/admin/sessions/{id}`: an admin sets a session right, by the mentor's rules and beside the mentor."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.booking import lists, mentor_lists, views
from app.booking.http import inline
from app.booking.http.inline import Place
from app.core.ids import parse_id
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, page

PATH: Final = "/admin/sessions"
ONE: Final = PATH + "/{session_id:str}"
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


async def _shown(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, session: dict[str, Any], status: int
) -> Response[str]:
    found = await lists.one(uow, session["id"])
    history = views.history(found, await lists.history(uow, found.id), viewer)
    return page(
        request,
        "admin/session.html",
        status=status,
        session=session | {"expanded": True},
        history=history,
        zone=viewer.time_zone,
    )


PLACE: Final = Place(PATH, lambda id_: f"{PATH}/{id_}", _shown)


@get(ONE, include_in_schema=False, guards=[requires_admin])
async def show(request: AppRequest, uow: Uow, viewer: Me, session_id: FromPath[str]) -> Response[str]:
    """A session with its status, notes and recording, to be edited in place."""
    (shown,) = await mentor_lists.rows(uow, viewer, [await lists.one(uow, parse_id(session_id))], PATH)
    return await _shown(request, uow, viewer, shown, 200)


@get(ONE + "/cancellation", include_in_schema=False, guards=[requires_admin])
async def ask_cancellation(
    request: AppRequest, uow: Uow, viewer: Me, session_id: FromPath[str]
) -> Response[str]:
    """What canceling means, and the button that does it."""
    return await inline.ask_cancellation(request, uow, viewer, parse_id(session_id), PLACE)


@post(ONE + "/status", include_in_schema=False, guards=[requires_admin])
async def set_status(request: AppRequest, uow: Uow, viewer: Me, session_id: FromPath[str]) -> Response[str]:
    """Completed, no-show, canceled, or back to scheduled."""
    return await inline.set_status(request, uow, viewer, parse_id(session_id), PLACE)


@post(ONE + "/notes", include_in_schema=False, guards=[requires_admin])
async def set_notes(request: AppRequest, uow: Uow, viewer: Me, session_id: FromPath[str]) -> Response[str]:
    """What they worked on."""
    return await inline.set_text(request, uow, viewer, parse_id(session_id), PLACE, "notes")


@post(ONE + "/recording", include_in_schema=False, guards=[requires_admin])
async def set_recording(
    request: AppRequest, uow: Uow, viewer: Me, session_id: FromPath[str]
) -> Response[str]:
    """The link to the recording; empty removes it."""
    return await inline.set_text(request, uow, viewer, parse_id(session_id), PLACE, "recording_url")


HANDLERS: list[ControllerRouterHandler] = [show, ask_cancellation, set_status, set_notes, set_recording]
