"""`/sessions/{id}/call`: where a session's two people meet. Before the door opens it counts down, afterwards it says so."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_user
from app.booking import door, lists, recording_views, views
from app.booking.http import attendance
from app.booking.lists import Listed
from app.core import clock
from app.core.errors import Forbidden
from app.core.ids import parse_id
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, page, see_other
from app.settings import Settings
from app.video import repository, rules

# Agora's servers, which the SDK finds by names and ports of their own.
AGORA_DOMAINS: Final = ("agora.io", "sd-rtn.com", "rtnsvc.com", "rtesvc.com")
_HOST: Final = re.compile(r"[A-Za-z0-9.:\[\]-]+")
_ONLY_THE_TWO: Final = "Only the two people of a session meet in its room."


@get("/sessions/{session_id:str}/call", include_in_schema=False, guards=[requires_user])
async def show(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """The room's lobby; before the door opens with a countdown, whose fragment asks anew by itself.

    Otherwise a page that says why there is no way in. Raises NotFound for others, Forbidden for admins.
    """
    found, now = await lists.one(uow, parse_id(session_id)), clock.now()
    if viewer.impersonator_id is not None or viewer.id not in (found.mentor_id, found.student_id):
        raise Forbidden(_ONLY_THE_TWO)
    meeting = await repository.meeting(uow, found.id)
    refusal = rules.no_entry(meeting, viewer.id, now)
    context = context_of(found, viewer, now, is_open=refusal is None)
    if refusal is None or refusal.code == "too_early":
        if is_htmx(request):
            return fragment(request, "video/_door.html", **context)
        response = page(request, "video/call.html", **context)
        response.headers["content-security-policy"] = policy(request.app.state.platform.settings, request)
        return response
    if is_htmx(request):
        return see_other(request, request.url.path)
    there = await attendance.context_of(uow, found, viewer)
    return page(request, "video/closed.html", refusal=refusal, **context, **there)


def context_of(session: Listed, viewer: Viewer, now: datetime, *, is_open: bool) -> dict[str, Any]:
    """What the templates of the page take."""
    is_mentor = viewer.id == session.mentor_id
    opens_at = door.opens_at(session.start)
    return {
        "session": views.mentor_row(session, viewer, now) if is_mentor else views.row(session, viewer, now),
        "zone": viewer.time_zone,
        "is_mentor": is_mentor,
        "is_open": is_open,
        "now": now,
        "opens_at": opens_at,
        "opens_in": max(0, int((opens_at - now).total_seconds())),
        "closes_at": door.closes_at(session.end),
        "consent": recording_views.consent(session, viewer, f"/sessions/{session.id}/call"),
    }


def policy(settings: Settings, request: AppRequest) -> str:
    """The page's content security policy: beside our own, the room's WebSocket and, with its keys, Agora's servers.

    Agora's SDK keeps time in a worker that it makes of a blob.
    """
    host = request.headers.get("host", "")
    own = [f"ws://{host}", f"wss://{host}"] if _HOST.fullmatch(host) else []
    agora = [f"{scheme}://*.{domain}:*" for domain in AGORA_DOMAINS for scheme in ("https", "wss")]
    connect = " ".join(["'self'", *own, *(agora if settings.agora_enabled else [])])
    worker = "worker-src 'self' blob:; " if settings.agora_enabled else ""
    return (
        f"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {connect};"
        f" media-src 'self' blob:; {worker}frame-ancestors 'none'; base-uri 'none'; form-action 'self';"
        " object-src 'none'"
    )


HANDLERS: list[ControllerRouterHandler] = [show]
