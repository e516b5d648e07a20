"""`/instructor/sessions`: a mentor marks sessions, takes notes, leaves the recording's link, cancels."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_mentor
from app.booking import mentor_lists
from app.booking.http import inline
from app.booking.http.inline import Place
from app.core.ids import identifier
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, page

HOME: Final = mentor_lists.HOME


async def _with(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, session: dict[str, Any], status: int
) -> Response[str]:
    context = await mentor_lists.page_of(uow, viewer, mentor_lists.Wish(), instead=session)
    return page(request, "booking/instructor_sessions.html", status=status, **context)


PLACE: Final = Place(HOME, lambda _: HOME, _with)


@get(HOME, include_in_schema=False, guards=[requires_mentor])
async def index(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    status: FromQuery[str] = "all",
    number: Annotated[str, QueryParameter(name="page", max_length=100)] = "1",
) -> Response[str]:
    """The mentor's sessions: to mark, upcoming, past; what the address spells wrong is noted."""
    context = await mentor_lists.page_of(uow, viewer, mentor_lists.understood(status, number))
    return page(request, "booking/instructor_sessions.html", **context)


@get(HOME + "/{session_id:str}/cancellation", include_in_schema=False, guards=[requires_mentor])
async def ask_cancellation(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """What canceling means, and the button that does it."""
    return await inline.ask_cancellation(request, uow, viewer, identifier(session_id), PLACE)


@post(HOME + "/{session_id:str}/status", include_in_schema=False, guards=[requires_mentor])
async def set_status(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """Completed, no-show, canceled, or back to scheduled."""
    return await inline.set_status(request, uow, viewer, identifier(session_id), PLACE)


@post(HOME + "/{session_id:str}/notes", include_in_schema=False, guards=[requires_mentor])
async def set_notes(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """What they worked on; the mentee sees it."""
    return await inline.set_text(request, uow, viewer, identifier(session_id), PLACE, "notes")


@post(HOME + "/{session_id:str}/recording", include_in_schema=False, guards=[requires_mentor])
async def set_recording(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """The link to the recording; empty removes it."""
    return await inline.set_text(request, uow, viewer, identifier(session_id), PLACE, "recording_url")


HANDLERS: list[ControllerRouterHandler] = [index, ask_cancellation, set_status, set_notes, set_recording]
