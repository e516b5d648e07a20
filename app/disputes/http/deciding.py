"""`/admin/disputes`: what students dispute, those that wait first, and the decision about each."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.booking import attendance, attendance_views
from app.core.errors import BadRequest, Invalid, Refused
from app.core.ids import parse_id
from app.core.paging import page_number, pages
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other
from app.disputes import repository, service
from app.disputes.models import DisputeStatus
from app.disputes.repository import Disputed, State

PATH: Final = "/admin/disputes"
PER_PAGE: Final = 20
FILTERS: Final = (
    ("", "All"),
    (State.OPEN, "To decide"),
    (State.UPHELD, "Agreed to"),
    (State.REJECTED, "Rejected"),
    (State.WITHDRAWN, "Withdrawn"),
    (State.SETTLED, "Marked anew"),
)
DECISIONS: Final = (DisputeStatus.UPHELD, DisputeStatus.REJECTED)
NO_SUCH: Final = "There is no such page; this is the first."
SAID: Final = {
    DisputeStatus.UPHELD: "Agreed: the session went back to the pack, and both are told.",
    DisputeStatus.REJECTED: "Rejected: the mark stays, and both are told.",
}
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get(PATH, include_in_schema=False, guards=[requires_admin])
async def index(
    request: AppRequest,
    uow: Uow,
    viewer: Me,
    standing: Annotated[str, QueryParameter(name="status", max_length=100)] = "",
    wanted: Annotated[str, QueryParameter(name="page", max_length=100)] = "1",
) -> Response[str]:
    """All of them, or those that stand so; an unknown page or filter is the first of all."""
    chosen, number = standing if standing in dict(FILTERS) else None, page_number(wanted)
    if chosen is None or number is None:
        return see_other(request, _href(chosen or "", 1), Flash("note", NO_SUCH))
    return await _list(request, uow, viewer, chosen, number)


@post(PATH + "/{dispute_id:str}/decision", include_in_schema=False, guards=[requires_admin])
async def decide(request: AppRequest, uow: Uow, viewer: Me, dispute_id: FromPath[str]) -> Response[str]:
    """Agree or reject, with a sentence that both people read."""
    id_, form = parse_id(dispute_id), await posted(request, "status", "answer")
    if form["status"] not in DECISIONS:
        raise BadRequest("status: that is no decision. Nothing was changed.")
    status = DisputeStatus(form["status"])
    try:
        await service.decide(uow, id_, status, form["answer"])
    except Invalid as error:
        return await _again(request, uow, viewer, id_, 422, form, errors=error.fields)
    except Refused as error:
        said = Flash("problem", error.detail)
        return await _again(request, uow, viewer, id_, error.status, form, flashes=[said])
    if not is_htmx(request):
        return see_other(request, PATH, Flash("done", SAID[status]))
    return await _one(request, uow, viewer, id_, flashes=[Flash("done", SAID[status])])


async def _again(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    id_: UUID,
    status: int,
    form: dict[str, str],
    **more: Any,
) -> Response[str]:
    """Why it wasn't decided, and what was typed."""
    if is_htmx(request):
        return await _one(request, uow, viewer, id_, status, form=form, **more)
    again = {"id": id_, "form": form, "errors": more.get("errors", {})}
    return await _list(
        request, uow, viewer, "", 1, status, again=again, flashes=more.get("flashes", []), only=id_
    )


async def _one(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, id_: UUID, status: int = 200, **more: Any
) -> Response[str]:
    (item,) = await _shown(uow, viewer, [await service.one(uow, id_)])
    context = {"item": item, "form": {}, "errors": {}, "flashes": [], "zone": viewer.time_zone} | more
    return fragment(request, "disputes/_decision.html", status=status, **context)


async def _list(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    chosen: str,
    number: int,
    status: int = 200,
    *,
    only: UUID | None = None,
    **more: Any,
) -> Response[str]:
    """`only`: that one alone."""
    if only is not None:
        found, total = [await service.one(uow, only)], 1
    else:
        wanted = State(chosen) if chosen else None
        offset = (number - 1) * PER_PAGE
        found, total = await repository.listed(uow.session, wanted, limit=PER_PAGE, offset=offset)
    if not found and number > 1:
        return see_other(request, _href(chosen, 1), Flash("note", NO_SUCH))
    context: dict[str, Any] = {
        "items": await _shown(uow, viewer, found),
        "again": None,
        "chosen": chosen,
        "filters": [
            {"label": label, "href": _href(value, 1), "selected": value == chosen} for value, label in FILTERS
        ],
        "pagination": pages(partial(_href, chosen), number, total, PER_PAGE),
        "zone": viewer.time_zone,
    }
    return page(request, "disputes/admin.html", status=status, **context | more)


async def _shown(uow: UnitOfWork, viewer: Viewer, found: list[Disputed]) -> list[dict[str, Any]]:
    """Disputes with who was in the room. One query."""
    there = await attendance.of(uow, [one.session_id for one in found])
    return [
        {
            "dispute": one,
            "attendance": attendance_views.facts(
                one.mentor_name, one.student_name, there.get(one.session_id)
            ),
        }
        for one in found
    ]


def _href(state: str, number: int) -> str:
    query = ({"status": state} if state else {}) | ({"page": str(number)} if number > 1 else {})
    return f"{PATH}?{urlencode(query)}".rstrip("?")


HANDLERS: list[ControllerRouterHandler] = [index, decide]
