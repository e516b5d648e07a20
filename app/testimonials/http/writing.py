"""`/testimonials`: a student writes about a pack, changes it while nobody has decided, takes it back at any time."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_student
from app.core.errors import Invalid, Refused
from app.core.ids import identifier, parse_id
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other
from app.testimonials import service
from app.testimonials.service import Written

PATH = "/testimonials"
HOME = "/dashboard"
THANKS = "Thank you. The studio reads it first; you hear from us when it is on the page."
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get("/new", include_in_schema=False)
async def new(request: AppRequest, uow: Uow, viewer: Me, pack_id: FromQuery[str] = "") -> Response[str]:
    """The empty page for a pack; where something was written already, that."""
    pack = parse_id(pack_id)
    try:
        about = await service.about(uow, pack)
    except Refused as error:
        return see_other(request, HOME, Flash("note", error.detail))
    written = await service.of_pack(uow, pack)
    if written is not None:
        return see_other(request, f"{PATH}/{written.id}")
    return _page(request, viewer, about=about, written=None)


@post("/", include_in_schema=False)
async def create(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Keep the words; where another window was quicker, show what it wrote beside them."""
    form = await posted(request, "pack_id", "body")
    pack_id = identifier(form["pack_id"], "pack_id")
    try:
        await service.write(uow, pack_id, form["body"])
    except Invalid as error:
        about = await service.about(uow, pack_id)
        return _page(request, viewer, 422, about=about, written=None, form=form, errors=error.fields)
    except Refused as error:
        written = await service.of_pack(uow, pack_id)
        if written is None:
            return see_other(request, HOME, Flash("note", error.detail))
        return _beside(request, viewer, written, form, error)
    return see_other(request, HOME, Flash("done", THANKS))


@get("/{testimonial_id:str}", include_in_schema=False)
async def show(request: AppRequest, uow: Uow, viewer: Me, testimonial_id: FromPath[str]) -> Response[str]:
    """Own words: to change while nobody has decided, to read and to take back after that."""
    written = await service.one(uow, parse_id(testimonial_id))
    return _page(request, viewer, about=written, written=written, form={"body": written.body})


@post("/{testimonial_id:str}", include_in_schema=False)
async def change(request: AppRequest, uow: Uow, viewer: Me, testimonial_id: FromPath[str]) -> Response[str]:
    """Other words, while nobody has decided."""
    id_ = parse_id(testimonial_id)
    form = await posted(request, "body")
    try:
        await service.change(uow, id_, form["body"])
    except Invalid as error:
        written = await service.one(uow, id_)
        return _page(request, viewer, 422, about=written, written=written, form=form, errors=error.fields)
    except Refused as error:
        return _beside(request, viewer, await service.one(uow, id_), form, error)
    return see_other(request, HOME, Flash("done", THANKS))


@post("/{testimonial_id:str}/withdrawal", include_in_schema=False)
async def withdraw(request: AppRequest, uow: Uow, testimonial_id: FromPath[str]) -> Response[str]:
    """The words are deleted, wherever they are shown."""
    written = await service.withdraw(uow, parse_id(testimonial_id))
    said = f"Your words about {written.mentor_name or 'your instructor'} are deleted."
    return see_other(request, HOME, Flash("done", said))


def _beside(
    request: AppRequest, viewer: Viewer, written: Written, form: dict[str, str], error: Refused
) -> Response[str]:
    """What is kept, and what was typed meanwhile: nothing of it is lost."""
    refusal = {"code": error.code, "title": "Not saved", "detail": error.detail}
    shown: dict[str, Any] = {"written": written, "form": form, "refusal": refusal}
    return _page(request, viewer, error.status, about=written, **shown)


def _page(request: AppRequest, viewer: Viewer, status: int = 200, **context: Any) -> Response[str]:
    shown = {"form": {}, "errors": {}, "refusal": None, "zone": viewer.time_zone} | context
    if is_htmx(request):
        return fragment(request, "testimonials/_form.html", status=status, **shown)
    return page(request, "testimonials/form.html", status=status, **shown)


HANDLERS: list[ControllerRouterHandler] = [
    Router(PATH, route_handlers=[new, create, show, change, withdraw], guards=[requires_student])
]
