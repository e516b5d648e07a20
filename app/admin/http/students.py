"""`/admin/students`: every student, searched, sorted and in pages; all of it in the address."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.admin import students
from app.admin.http import listing
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, page

PATH = "/admin/students"
FIRST_SORT = "-joined"
Text = Annotated[str, QueryParameter(max_length=100)]


@get(PATH, guards=[requires_admin], include_in_schema=False)
async def index(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    q: Text = "",
    kind: Annotated[str, QueryParameter(name="state", max_length=100)] = "",
    sort: Text = "",
    asked: Annotated[str, QueryParameter(name="page", max_length=100)] = "",
) -> Response[str]:
    """A page of students."""
    words, notes = q.strip(), list[str]()
    if sort and sort.removeprefix("-") not in students.SORTS:
        sort = _note(notes, "order")
    state = kind if kind in students.STATES else _note(notes, "state")
    number = listing.page_number(asked) or _note(notes, "page")
    shown = 1 if notes or not number else int(number)
    wanted = {"words": words, "state": state, "sort": sort or FIRST_SORT}
    found, total = await students.page_of(uow, **wanted, number=shown)
    if not found and shown > 1:
        _note(notes, "page")
        shown = 1
        found, total = await students.page_of(uow, **wanted, number=1)
    context = _context(words, state, sort, shown, total) | {
        "students": found,
        "note": notes[0] if notes else None,
        "zone": viewer.time_zone,
    }
    if is_htmx(request):
        return fragment(request, "admin/_students.html", **context)
    return page(request, "admin/students.html", **context)


def _note(notes: list[str], what: str) -> str:
    notes.append(listing.NO_SUCH.format(what))
    return ""


def _context(words: str, state: str, sort: str, number: int, total: int) -> dict[str, Any]:
    values = {"q": words, "state": state, "sort": sort}
    return {
        "q": words,
        "state": state,
        "sort": sort,
        "total": total,
        "filters": [
            {"label": label, "href": listing.href(PATH, values | {"state": name}), "selected": name == state}
            for name, label in students.STATES.items()
        ],
        "sorts": {name: _sorting(values, name, sort or FIRST_SORT) for name in students.SORTS},
        "pagination": listing.pagination(PATH, values, number, total, students.PER_PAGE),
    }


def _sorting(values: dict[str, str], name: str, sort: str) -> dict[str, str | None]:
    """The link of a column's heading: the other way round if the list is sorted by it already."""
    now = {name: "ascending", f"-{name}": "descending"}.get(sort)
    first = name if name in ("name", "email") else f"-{name}"
    other = {"ascending": f"-{name}", "descending": name}.get(now or "", first)
    wanted = "" if other == FIRST_SORT else other
    return {
        "label": students.SORTS[name],
        "href": listing.href(PATH, values | {"sort": wanted}),
        "now": now,
    }


HANDLERS: list[ControllerRouterHandler] = [index]
