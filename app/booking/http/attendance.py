"""`/sessions/{id}/attendance`: who was in a session's room, for its two people and admins; whoever marks it marks it here."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_user
from app.booking import attendance, attendance_views, lists
from app.booking.lists import Listed
from app.core import clock
from app.core.ids import parse_id
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, see_other


@get("/sessions/{session_id:str}/attendance", include_in_schema=False, guards=[requires_user])
async def show(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """The part of the session's page that says it; without HTMX that page."""
    found = await lists.one(uow, parse_id(session_id))
    if not is_htmx(request):
        return see_other(request, f"/sessions/{found.id}")
    context = await context_of(uow, found, viewer)
    return fragment(request, "booking/_attendance.html", zone=viewer.time_zone, **context)


async def context_of(uow: UnitOfWork, session: Listed, viewer: Viewer) -> dict[str, Any]:
    """What booking/_attendance.html takes, but for `zone`. One query at most."""
    now = clock.now()
    there = await attendance.of(uow, [session.id]) if attendance_views.has_begun(session, now) else {}
    base = "/admin/sessions" if viewer.role is Role.ADMIN else "/instructor/sessions"
    return {
        "session_id": session.id,
        "marks_at": f"{base}/{session.id}/status",
        "attendance": attendance_views.shown(session, there.get(session.id), viewer, now),
    }


HANDLERS: list[ControllerRouterHandler] = [show]
