"""`/admin/testimonials`: what students wrote, those that wait first, and the decision about each."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.core.errors import BadRequest, Refused
from app.core.ids import parse_id
from app.core.paging import page_number, pages
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other
from app.testimonials import repository, service
from app.testimonials.models import TestimonialStatus

PATH = "/admin/testimonials"
PER_PAGE = 20
FILTERS = (("", "All"), ("pending", "To read"), ("approved", "Approved"), ("declined", "Declined"))
DECISIONS = (TestimonialStatus.APPROVED, TestimonialStatus.DECLINED)
NO_SUCH = "There is no such page; this is the first."
SAID = {
    TestimonialStatus.APPROVED: "Approved: everybody can read it now, and its writer is told.",
    TestimonialStatus.DECLINED: "Declined: only its writer can read it.",
}
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get(PATH, guards=[requires_admin], include_in_schema=False)
async def index(
    request: AppRequest,
    uow: Uow,
    viewer: Me,
    status: Annotated[str, QueryParameter(max_length=40)] = "",
    asked: Annotated[str, QueryParameter(name="page", max_length=100)] = "",
) -> Response[str]:
    """All of them, or those with a status; where there is no such status or page, the first page and a note."""
    chosen = status if status in dict(FILTERS) else ""
    number = page_number(asked)
    if chosen != status or number is None:
        return see_other(request, _href(chosen, 1), Flash("note", NO_SUCH))
    return await _list(request, uow, viewer, chosen, number)


@post(PATH + "/{testimonial_id:str}/decision", guards=[requires_admin], include_in_schema=False)
async def decide(request: AppRequest, uow: Uow, viewer: Me, testimonial_id: FromPath[str]) -> Response[str]:
    """Approve or decline the words as they were read (named by `seen`)."""
    id_ = parse_id(testimonial_id)
    form = await posted(request, "status", "seen")
    status = _decision(form["status"])
    try:
        await service.decide(uow, id_, status, seen=form["seen"])
    except Refused as error:
        return await _answer(
            request, uow, viewer, testimonial_id, Flash("problem", error.detail), error.status
        )
    return await _answer(request, uow, viewer, testimonial_id, Flash("done", SAID[status]))


async def _answer(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, id_: str, said: Flash, status: int = 200
) -> Response[str]:
    """The testimonial anew for HTMX, the list without."""
    if not is_htmx(request):
        return see_other(request, PATH, said)
    item = await service.one(uow, parse_id(id_))
    context: dict[str, Any] = {"item": item, "zone": viewer.time_zone, "flashes": [said]}
    return fragment(request, "testimonials/_decision.html", status=status, **context)


async def _list(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, chosen: str, number: int
) -> Response[str]:
    wanted = TestimonialStatus(chosen) if chosen else None
    found, total = await repository.listed(
        uow.session, wanted, limit=PER_PAGE, offset=(number - 1) * PER_PAGE
    )
    if not found and number > 1:
        return see_other(request, _href(chosen, 1), Flash("note", NO_SUCH))
    context: dict[str, Any] = {
        "items": found,
        "chosen": chosen,
        "filters": [
            {"label": label, "href": _href(value, 1), "selected": value == chosen} for value, label in FILTERS
        ],
        "pagination": pages(partial(_href, chosen), number, total, PER_PAGE),
        "zone": viewer.time_zone,
    }
    return page(request, "testimonials/admin.html", **context)


def _decision(text: str) -> TestimonialStatus:
    if text not in DECISIONS:
        raise BadRequest("status: that is no decision. Nothing was changed.")
    return TestimonialStatus(text)


def _href(status: str, number: int) -> str:
    query = ({"status": status} if status else {}) | ({"page": str(number)} if number > 1 else {})
    return f"{PATH}?{urlencode(query)}".rstrip("?")


HANDLERS: list[ControllerRouterHandler] = [index, decide]
