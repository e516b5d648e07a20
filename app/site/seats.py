"""Seats and who waits for them: `/instructor/waitlist` for a mentor, `/admin/waitlist` for everybody's."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from app.accounts.guards import requires_admin, requires_mentor
from app.core.ids import parse_id
from app.core.paging import NO_PAGE, PER_PAGE, page_number, turning
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, see_other
from app.packs import waitlist
from app.site import places

OWN, ALL = "/instructor/waitlist", "/admin/waitlist"
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get("/", include_in_schema=False)
async def own_seats(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Who has a seat of the mentor's, and who waits for one."""
    return page(request, "packs/seats.html", **await _seats(uow, viewer))


@get("/", include_in_schema=False)
async def waitlists(
    request: AppRequest,
    uow: Uow,
    viewer: Me,
    q: Annotated[str, QueryParameter(max_length=100)] = "",
    wanted: Annotated[str, QueryParameter(name="page", max_length=100)] = "",
) -> Response[str]:
    """Every mentor for whose seats somebody waits."""
    words, asked = q.strip(), page_number(wanted)
    number = asked or 1
    found = await places.waitlists(uow, words, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE)
    shown = found[:PER_PAGE]
    search = f"{urlencode({'q': words})}&" if words else ""  # percent-encoded: no braces in it
    context: dict[str, Any] = {
        "waitlists": shown,
        "waiting": await places.waiting(uow, [one.mentor_id for one in shown]),
        "zone": viewer.time_zone,
        "q": words,
        "base": ALL,
        "note": None if asked else NO_PAGE,
        "pagination": turning(lambda page: f"{ALL}?{search}page={page}", number, len(found)),
    }
    if is_htmx(request):
        return fragment(request, "packs/_waitlists.html", **context)
    return page(request, "packs/waitlists.html", **context)


@get("/{place_id:str}/removal", include_in_schema=False)
async def ask_removal(request: AppRequest, uow: Uow, viewer: Me, place_id: FromPath[str]) -> Response[str]:
    """What taking somebody off the list means, and the button that does it."""
    place, base = await places.one(uow, parse_id(place_id)), _base(viewer)
    target = "#seats" if base == OWN else f"#waiting-{place.mentor_id}"
    context: dict[str, Any] = {"place": place, "base": base, "target": target, "zone": viewer.time_zone}
    if is_htmx(request):
        return fragment(request, "packs/_removal.html", **context)
    return page(request, "packs/removal.html", **context)


@post("/{place_id:str}/removal", include_in_schema=False)
async def remove(request: AppRequest, uow: Uow, viewer: Me, place_id: FromPath[str]) -> Response[str]:
    """Take somebody off the list; they are told."""
    place, base = await places.one(uow, parse_id(place_id)), _base(viewer)
    await waitlist.remove(uow, place.id)
    said = f"{place.student_name} is off the waitlist. We have written to them."
    if not is_htmx(request):
        return see_other(request, base, Flash("done", said))
    if base == OWN:
        return fragment(request, "packs/_seats.html", **await _seats(uow, viewer), said=said)
    return fragment(request, "packs/_waiting.html", said=said, **await _waiting(uow, viewer, place.mentor_id))


async def _seats(uow: UnitOfWork, viewer: Viewer) -> dict[str, Any]:
    return {"seats": await places.seats(uow, viewer.id), **await _waiting(uow, viewer, viewer.id)}


async def _waiting(uow: UnitOfWork, viewer: Viewer, mentor_id: UUID) -> dict[str, Any]:
    waiting = await places.waiting(uow, [mentor_id])
    return {
        "waitlist": await places.waitlist_of(uow, mentor_id),
        "places": waiting[mentor_id],
        "zone": viewer.time_zone,
        "base": _base(viewer),
    }


def _base(viewer: Viewer) -> str:
    return ALL if viewer.role is Role.ADMIN else OWN


HANDLERS = [
    Router(OWN, guards=[requires_mentor], route_handlers=[own_seats, ask_removal, remove]),
    Router(ALL, guards=[requires_admin], route_handlers=[waitlists, ask_removal, remove]),
]
