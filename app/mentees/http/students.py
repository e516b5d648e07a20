"""`/instructor/students`: a mentor's mentees, and one of them with everything there was."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_mentor
from app.core.ids import parse_id
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, page
from app.mentees import listing, pages

Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get(listing.PATH, guards=[requires_mentor], include_in_schema=False)
async def index(
    request: AppRequest,
    uow: Uow,
    viewer: Me,
    q: Annotated[str, QueryParameter(max_length=1000)] = "",
    show: Annotated[str, QueryParameter(max_length=100)] = "",
    sort: Annotated[str, QueryParameter(max_length=100)] = "name",
    number: Annotated[str, QueryParameter(name="page", max_length=100)] = "1",
) -> Response[str]:
    """The mentor's mentees: searched, filtered, sorted, in pages; what the address spells wrong is noted."""
    context = await pages.students(uow, viewer, listing.understood(q, show, sort, number))
    if is_htmx(request):
        return fragment(request, "mentees/_students.html", **context)
    return page(request, "mentees/students.html", **context)


@get(listing.PATH + "/{student_id:str}", guards=[requires_mentor], include_in_schema=False)
async def show(
    request: AppRequest,
    uow: Uow,
    viewer: Me,
    student_id: FromPath[str],
    number: Annotated[str, QueryParameter(name="page", max_length=100)] = "1",
) -> Response[str]:
    """One mentee: packs, sessions, seat, what they say of themselves, and the mentor's notes."""
    return page(
        request, "mentees/student.html", **await pages.student(uow, viewer, parse_id(student_id), number)
    )


HANDLERS: list[ControllerRouterHandler] = [index, show]
