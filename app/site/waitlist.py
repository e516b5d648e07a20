"""`/waitlist`: what it is, a student's own places on it, joining and leaving."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import requires_student
from app.core.errors import NotFound, Refused
from app.core.ids import parse_id
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, see_other
from app.mentors.rules import first
from app.packs import own_places, waitlist
from app.site import mentor_names
from app.site.forms import posted
from app.site.instructors import shop

PATH = "/waitlist"
LEFT = "You are no longer on the waitlist."
_SEATS = {Role.MENTOR: "/instructor/waitlist", Role.ADMIN: "/admin/waitlist"}
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get(PATH, include_in_schema=False)
async def index(request: AppRequest, uow: Uow, viewer: NamedDependency[Viewer | None]) -> Response[str]:
    """What a waitlist is; a student's own places."""
    context: dict[str, Any] = {"places": None, "zone": "UTC", "own_list": None}
    if viewer is not None:
        context |= {"zone": viewer.time_zone, "own_list": _SEATS.get(viewer.role)}
        if viewer.role is Role.STUDENT:
            context["places"] = await own_places.own(uow, viewer.id)
    return page(request, "packs/waitlist.html", **context)


@post(PATH, include_in_schema=False, guards=[requires_student])
async def join(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Wait for a seat of the posted mentor; waiting already is fine."""
    form = await posted(request)
    mentor = await mentor_names.named(uow, parse_id(first(form, "mentor_id")))
    if mentor is None:
        raise NotFound("There is no such instructor.")
    refusal = None
    try:
        await waitlist.join(uow, mentor.id, viewer.id)
    except Refused as error:
        refusal = {"code": error.code, "title": "No need to wait", "detail": error.detail}
    if is_htmx(request):
        return await _packs(request, uow, viewer, mentor.id, refusal)
    if refusal:
        return see_other(request, f"/instructors/{mentor.slug}", Flash("note", refusal["detail"]))
    said = f"You are on the waitlist of {mentor.name}. We write to you when a seat is free."
    return see_other(request, PATH, Flash("done", said))


@post(PATH + "/{place_id:str}/departure", include_in_schema=False, guards=[requires_student])
async def leave(request: AppRequest, uow: Uow, viewer: Me, place_id: FromPath[str]) -> Response[str]:
    """Stop waiting; a seat that was kept goes to the next."""
    form = await posted(request)
    left = await waitlist.leave_place(uow, parse_id(place_id))
    if not is_htmx(request):
        return see_other(request, PATH, Flash("done", LEFT))
    if first(form, "view") == "profile":
        return await _packs(request, uow, viewer, left.mentor_id)
    own = await own_places.own(uow, viewer.id)
    return fragment(request, "packs/_places.html", places=own, zone=viewer.time_zone, said=LEFT)


async def _packs(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    mentor_id: UUID,
    refusal: dict[str, str] | None = None,
) -> Response[str]:
    """The packs of a profile as they stand now."""
    mentor = await mentor_names.named(uow, mentor_id)
    section = await shop(uow, viewer, mentor_id)
    return fragment(
        request,
        "mentors/_products.html",
        status=409 if refusal else 200,
        mentor=mentor,
        zone=viewer.time_zone,
        refusal=refusal,
        **section,
    )


HANDLERS = [index, join, leave]
