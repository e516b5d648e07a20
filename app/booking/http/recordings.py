"""`/sessions/{id}/recording-consent`: each of a session's two people agrees to a recording, or takes that back."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_user
from app.booking import lists, recording_views, recordings
from app.booking.refusals import BookingRefused
from app.core.errors import BadRequest, Forbidden
from app.core.ids import identifier
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, local_path, page, posted, see_other

PAGE: Final = "/sessions/{session_id:str}/recording-consent"
_AGREED: Final = "You agree to a recording of this session."
_TAKEN_BACK: Final = "Your consent to a recording is taken back."
_LINK_GONE: Final = "Your consent is taken back, and the link to the recording is gone."


@get(PAGE, include_in_schema=False, guards=[requires_user])
async def show(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
    back: FromQuery[str] = "",
) -> Response[str]:
    """What the two say now: by itself, or for a page that hears of a change."""
    if viewer.role is Role.ADMIN:
        raise Forbidden
    return await _said(request, uow, viewer, identifier(session_id), back)


@post(PAGE, include_in_schema=False, guards=[requires_user], status_code=200)
async def decide(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """`agree` "1": agree; "": take it back. `back`: the page that asked, where a plain form leads again."""
    agree, back = (await posted(request, "agree", "back")).values()
    id_ = identifier(session_id)
    if agree not in ("", "1"):
        raise BadRequest("agree: 1, or nothing to take it back.")
    try:
        lost_link = await recordings.decide(uow, id_, agrees=agree == "1")
    except BookingRefused as error:
        return await _said(request, uow, viewer, id_, back, error.status, problem=error.detail)
    place = _place(back, id_)
    # A page that shows the link elsewhere, too, is loaded anew; nobody is thrown out of the room for that.
    if is_htmx(request) and (not lost_link or place == f"/sessions/{id_}/call"):
        return await _said(request, uow, viewer, id_, back)
    text = _AGREED if agree else _LINK_GONE if lost_link else _TAKEN_BACK
    return see_other(request, place, Flash("done", text))


async def _said(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    session_id: UUID,
    back: str,
    status: int = 200,
    problem: str | None = None,
) -> Response[str]:
    """What the two say now, as the part of a page or as a page of its own."""
    found = await lists.one(uow, session_id)
    place = _place(back, session_id)
    context: dict[str, Any] = {"consent": recording_views.consent(found, viewer, place), "problem": problem}
    if is_htmx(request):
        return fragment(request, "booking/_recording_consent.html", status=status, **context)
    context |= {"session": found, "zone": viewer.time_zone, "back": place}
    return page(request, "booking/recording_consent.html", status=status, **context)


def _place(back: str, session_id: UUID) -> str:
    return local_path(back, f"/sessions/{session_id}")


HANDLERS: list[ControllerRouterHandler] = [show, decide]
