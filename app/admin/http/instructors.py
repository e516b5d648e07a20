"""`/admin/instructors`: all who teach, with figures; rows open to their mentees. `/{id}`: one with every mentee."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.admin import instructors
from app.admin.http import instructors_view, listing
from app.admin.http.instructors_view import IN_A_ROW, PATH, PER_PAGE, View
from app.admin.instructors import Instructor
from app.core.ids import parse_id
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, page, see_other
from app.mentees import relations

ROW = "admin/_instructor.html"
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get(PATH, guards=[requires_admin], include_in_schema=False)
async def index(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """A page of instructors, those rows open that the address names."""
    view = instructors_view.shown_by(request)
    found, total = await _page_of(uow, view)
    if not found and view.page > 1:
        view = msgspec.structs.replace(view, page=1, note=listing.NO_SUCH.format("page"))
        found, total = await _page_of(uow, view)
    opened = [instructor.id for instructor in found if instructor.id in view.open]
    mentees = await relations.of_mentors(uow, opened, each=IN_A_ROW)
    context = instructors_view.context(view, found, total, mentees) | {"zone": viewer.time_zone}
    if not is_htmx(request):
        return page(request, "admin/instructors.html", **context)
    typed = request.headers.get("hx-source", "").startswith(
        "form"
    )  # letter by letter is no step to go back to
    moved = {"hx-replace-url" if typed else "hx-push-url": view.href()}
    return fragment(request, "admin/_instructors.html", headers=moved, **context)


@get(PATH + "/{mentor_id:str}/mentees", guards=[requires_admin], include_in_schema=False)
async def mentees(request: AppRequest, uow: Uow, viewer: Me, mentor_id: FromPath[str]) -> Response[str]:
    """The instructor's row, open."""
    instructor = await instructors.one(uow, parse_id(mentor_id))
    if not is_htmx(request):
        return see_other(request, f"{PATH}/{instructor.id}")
    found = await relations.of_mentors(uow, [instructor.id], each=IN_A_ROW)
    view = _current(request, instructor.id, is_open=True)
    row = instructors_view.row(view, instructor, found[instructor.id])
    return fragment(request, ROW, headers={"hx-push-url": view.href()}, row=row, zone=viewer.time_zone)


@get(PATH + "/{mentor_id:str}", guards=[requires_admin], include_in_schema=False)
async def show(
    request: AppRequest,
    uow: Uow,
    viewer: Me,
    mentor_id: FromPath[str],
    asked: Annotated[str, QueryParameter(name="page", max_length=100)] = "",
) -> Response[str]:
    """One instructor with a page of all mentees; for HTMX the instructor's row of the list, closed."""
    instructor = await instructors.one(uow, parse_id(mentor_id))
    if is_htmx(request):
        view = _current(request, instructor.id, is_open=False)
        row = instructors_view.row(view, instructor, None)
        return fragment(request, ROW, headers={"hx-push-url": view.href()}, row=row, zone=viewer.time_zone)
    total = await relations.count_of_mentor(uow, instructor.id)
    number = listing.page_number(asked) or 0
    is_there = 1 <= number <= max(1, -(-total // PER_PAGE))
    number = number if is_there else 1
    offset = (number - 1) * PER_PAGE
    where = f"{PATH}/{instructor.id}"
    return page(
        request,
        "admin/instructor.html",
        instructor=instructor,
        relations=await relations.of_mentor(uow, instructor.id, limit=PER_PAGE, offset=offset),
        total=total,
        note=None if is_there else listing.NO_SUCH.format("page"),
        pagination=listing.pagination(where, {}, number, total, PER_PAGE),
        zone=viewer.time_zone,
    )


async def _page_of(uow: UnitOfWork, view: View) -> tuple[list[Instructor], int]:
    offset = (view.page - 1) * PER_PAGE
    return await instructors.page_of(uow, view.q, view.sort, limit=PER_PAGE, offset=offset)


def _current(request: AppRequest, id_: UUID, *, is_open: bool) -> View:
    view = instructors_view.current(request) or View()
    return view.toggled(id_, is_open)


HANDLERS: list[ControllerRouterHandler] = [index, mentees, show]
