"""`/sessions/{id}/dispute`: a student disputes how a session is marked, or takes that back; its mentor agrees."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_mentor, requires_student, requires_user
from app.booking import attendance, attendance_views, lists
from app.booking.refusals import NOT_MARKED, shown
from app.core import clock
from app.core.errors import Invalid, NotFound, Refused
from app.core.ids import identifier, parse_id
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other
from app.disputes import service

PATH: Final = "/sessions/{session_id:str}/dispute"
SENT: Final = "Sent. Your instructor and the studio have been written to; you hear from us by mail."
WITHDRAWN: Final = "Taken back. The session stays as it is marked."
AGREED: Final = "Agreed: the session went back to the pack. We have written to both of you."
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get(PATH, include_in_schema=False, guards=[requires_user])
async def show(request: AppRequest, uow: Uow, viewer: Me, session_id: FromPath[str]) -> Response[str]:
    """The empty form for the session's student, or how the dispute stands; admins decide elsewhere."""
    if viewer.role is Role.ADMIN:
        return see_other(request, "/admin/disputes")
    return await _page(request, uow, viewer, parse_id(session_id))


@post(PATH, include_in_schema=False, guards=[requires_student])
async def create(request: AppRequest, uow: Uow, viewer: Me, session_id: FromPath[str]) -> Response[str]:
    """Dispute how the session is marked; whatever is refused keeps what was typed."""
    id_, form = identifier(session_id), await posted(request, "reason")
    try:
        await service.dispute(uow, id_, form["reason"])
    except Invalid as error:
        return await _page(request, uow, viewer, id_, 422, form=form, errors=error.fields)
    except Refused as error:
        return await _page(request, uow, viewer, id_, error.status, form=form, refusal=_said(error))
    return see_other(request, f"/sessions/{id_}", Flash("done", SENT))


@post(PATH + "/withdrawal", include_in_schema=False, guards=[requires_student])
async def withdraw(request: AppRequest, uow: Uow, viewer: Me, session_id: FromPath[str]) -> Response[str]:
    """Take an own dispute back."""
    id_, dispute_id = await _named(request, uow, session_id)
    try:
        await service.withdraw(uow, dispute_id)
    except Refused as error:
        return await _page(request, uow, viewer, id_, error.status, refusal=_said(error))
    return see_other(request, f"/sessions/{id_}", Flash("done", WITHDRAWN))


@post(PATH + "/agreement", include_in_schema=False, guards=[requires_mentor])
async def agree(request: AppRequest, uow: Uow, viewer: Me, session_id: FromPath[str]) -> Response[str]:
    """The mentor agrees: the session goes back to the pack."""
    id_, dispute_id = await _named(request, uow, session_id)
    try:
        await service.agree(uow, dispute_id)
    except Refused as error:
        return await _page(request, uow, viewer, id_, error.status, refusal=_said(error))
    return see_other(request, f"/sessions/{id_}", Flash("done", AGREED))


async def _named(request: AppRequest, uow: UnitOfWork, session_id: str) -> tuple[UUID, UUID]:
    """The session and the dispute of it that the form names. Raises NotFound where they don't belong together."""
    id_ = identifier(session_id)
    dispute_id = identifier((await posted(request, "dispute_id"))["dispute_id"], "dispute_id")
    if (await service.one(uow, dispute_id)).session_id != id_:
        raise NotFound
    return id_, dispute_id


def _said(error: Refused) -> dict[str, str]:
    """A refusal as the page shows it."""
    found = shown(error, NOT_MARKED)
    return {"code": found.code, "title": found.title, "detail": found.detail, "next": found.next}


async def _page(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, id_: UUID, status: int = 200, **context: Any
) -> Response[str]:
    """How it stands now. A mentor finds nothing where nothing was disputed."""
    session, found = await lists.one(uow, id_), await service.of_session(uow, id_)
    current = found is not None and found.version == session.version
    if found is None and viewer.role is Role.MENTOR:
        raise NotFound
    there = (await attendance.of(uow, [id_])).get(id_)
    why_not = None if current else service.refusal_to_dispute(session)
    values: dict[str, Any] = {
        "session": session,
        "dispute": found,
        "can_dispute": viewer.role is Role.STUDENT and not current and why_not is None,
        "why_not": why_not.detail if why_not and not found else None,
        "attendance": attendance_views.shown(session, there, viewer, clock.now()),
        "zone": viewer.time_zone,
    }
    values |= {"form": {}, "errors": {}, "refusal": None} | context
    if is_htmx(request):
        return fragment(request, "disputes/_dispute.html", status=status, **values)
    return page(request, "disputes/session.html", status=status, **values)


HANDLERS: list[ControllerRouterHandler] = [show, create, withdraw, agree]
