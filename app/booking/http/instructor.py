"""`/instructor/sessions`: a mentor marks sessions, takes notes, leaves the recording's link, cancels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_mentor
from app.booking import lists, mentor_lists, service, views
from app.booking.http.notes import checked_notes, checked_recording
from app.booking.models import SessionStatus
from app.core import clock
from app.core.errors import AppError, BadRequest, Invalid, Refused
from app.core.ids import identifier
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other

HOME: Final = "/instructor/sessions"
_DONE: Final = {"status": "Saved.", "notes": "Notes saved.", "recording": "Link saved."}


@get(HOME, include_in_schema=False, guards=[requires_mentor])
async def index(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    status: FromQuery[str] = "all",
    number: Annotated[int, QueryParameter(name="page", ge=1, le=10_000)] = 1,
) -> Response[str]:
    """The mentor's sessions: to mark, upcoming, past."""
    if status not in mentor_lists.FILTERS:
        raise BadRequest("status: choose one of " + ", ".join(mentor_lists.FILTERS) + ".")
    context = await mentor_lists.page_of(uow, viewer, status, number)
    return page(request, "booking/instructor_sessions.html", **context)


@get(HOME + "/{session_id:str}/cancellation", include_in_schema=False, guards=[requires_mentor])
async def ask_cancellation(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """What canceling means, and the button that does it."""
    found, now = await lists.one(uow, identifier(session_id)), clock.now()
    context: dict[str, Any] = {
        "session": views.mentor_row(found, viewer, now),
        "zone": viewer.time_zone,
        "action": f"{HOME}/{found.id}/status",
        "fields": {"status": "canceled"},
        "target": f"#session-{found.id}",
        "back": HOME,
        "refusal": None,
        **views.cancellation(found, viewer, now),
    }
    if is_htmx(request):
        return fragment(request, "booking/_cancel.html", **context)
    return page(request, "booking/cancel.html", **context)


@post(HOME + "/{session_id:str}/status", include_in_schema=False, guards=[requires_mentor])
async def set_status(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """Completed, no-show, canceled, or back to scheduled."""
    id_ = identifier(session_id)
    status = (await posted(request, "status"))["status"]
    try:
        wanted = SessionStatus(status)
    except ValueError:
        raise BadRequest("status: choose completed, no_show, canceled or scheduled.") from None
    try:
        await service.mark(uow, id_, wanted)
    except Refused as error:
        return await _again(request, uow, viewer, id_, {"status": error.detail}, error, {})
    return await _saved(request, uow, viewer, id_, "status")


@post(HOME + "/{session_id:str}/notes", include_in_schema=False, guards=[requires_mentor])
async def set_notes(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """What they worked on; the mentee sees it."""
    id_ = identifier(session_id)
    notes = (await posted(request, "notes"))["notes"]
    try:
        await service.edit(uow, id_, details={"notes": checked_notes(notes)})
    except Invalid as error:
        return await _again(request, uow, viewer, id_, error.fields, error, {"notes": notes})
    return await _saved(request, uow, viewer, id_, "notes")


@post(HOME + "/{session_id:str}/recording", include_in_schema=False, guards=[requires_mentor])
async def set_recording(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """The link to the recording; empty removes it."""
    id_ = identifier(session_id)
    url = (await posted(request, "recording_url"))["recording_url"]
    try:
        await service.edit(uow, id_, details={"recording_url": checked_recording(url)})
    except Invalid as error:
        return await _again(request, uow, viewer, id_, error.fields, error, {"recording_url": url})
    return await _saved(request, uow, viewer, id_, "recording")


async def _saved(request: AppRequest, uow: UnitOfWork, viewer: Viewer, id_: UUID, what: str) -> Response[str]:
    if not is_htmx(request):
        return see_other(request, HOME, Flash("done", _DONE[what]))
    found = views.mentor_row(await lists.one(uow, id_), viewer, clock.now())
    return _row(request, viewer, found | {"saved": what, "expanded": what != "status"}, 200)


async def _again(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    id_: UUID,
    errors: Mapping[str, str],
    error: AppError,
    typed: Mapping[str, str],
) -> Response[str]:
    """The session with the sentence beside what was refused, and what was typed."""
    found = views.mentor_row(await lists.one(uow, id_), viewer, clock.now())
    found |= {"errors": dict(errors), "expanded": "status" not in errors, **typed}
    if is_htmx(request):
        return _row(request, viewer, found, error.status)
    context = await mentor_lists.page_of(uow, viewer, "all", 1, instead=found)
    return page(request, "booking/instructor_sessions.html", status=error.status, **context)


def _row(request: AppRequest, viewer: Viewer, session: dict[str, Any], status: int) -> Response[str]:
    return fragment(
        request,
        "booking/_instructor_session.html",
        status=status,
        session=session,
        zone=viewer.time_zone,
        errors=session["errors"],
        expanded=session["expanded"],
        saved=session["saved"],
    )


HANDLERS: list[ControllerRouterHandler] = [index, ask_cancellation, set_status, set_notes, set_recording]
