"""What the list of instructors shows, as its address says it: words, order, page, and which rows are open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import msgspec

from app.admin import instructors
from app.admin.http import listing
from app.admin.instructors import DEFAULT_SORT, Instructor
from app.core.paging import pages
from app.core.web import AppRequest
from app.mentees.relations import Mentees

PATH: Final = "/admin/instructors"
PER_PAGE: Final = 50
IN_A_ROW: Final = 25
"""So many mentees of an instructor are shown in the list; a page of its own has them all."""
MOST_OPEN: Final = PER_PAGE
WORDS: Final = 100
LABELS: Final[Mapping[str, str]] = {
    "name": "Name",
    "email": "E-mail",
    "active_mentees": "Active mentees",
    "sessions_completed": "Sessions completed",
    "inventory": "Open seats",
    "joined": "Joined",
}
TEXTS: Final = ("name", "email")


class View(msgspec.Struct, frozen=True):
    """The state of the list, and what of its address made no sense."""

    q: str = ""
    sort: str = DEFAULT_SORT
    page: int = 1
    open: tuple[UUID, ...] = ()
    note: str | None = None

    def href(self, **changes: Any) -> str:
        """The address of this view, or of one that differs from it."""
        view = msgspec.structs.replace(self, **changes)
        query = [("q", view.q)] if view.q else []
        query += [("sort", view.sort)] if view.sort != DEFAULT_SORT else []
        query += [("page", str(view.page))] if view.page > 1 else []
        query += [("open", str(id_)) for id_ in view.open]
        return f"{PATH}?{urlencode(query)}" if query else PATH

    def toggled(self, id_: UUID, is_open: bool) -> View:
        """With that row open, or closed."""
        others = tuple(other for other in self.open if other != id_)
        return msgspec.structs.replace(self, open=(*others, id_) if is_open else others)


def read(pairs: Iterable[tuple[str, str]]) -> View:
    """The view that a query names. What isn't there is left out: the first page, and a note that says so."""
    given: dict[str, str] = {}
    ids: dict[UUID, None] = {}
    for name, value in pairs:
        if name != "open":
            given[name] = value
        elif (id_ := _id(value)) is not None:
            ids[id_] = None
    words, sort = given.get("q", "").strip()[:WORDS], given.get("sort") or DEFAULT_SORT
    number = listing.page_number(given.get("page", ""))
    opened = tuple(ids)[:MOST_OPEN]
    if not instructors.is_sort(sort):
        return View(words, open=opened, note=listing.NO_SUCH.format("order"))
    if number is None:
        return View(words, sort, open=opened, note=listing.NO_SUCH.format("page"))
    return View(words, sort, number, opened)


def shown_by(request: AppRequest) -> View:
    """The view that the request asks for; of a page that lives, the rows that are open by now stay so."""
    view = read(request.query_params.multi_items())
    there = current(request)
    return view if there is None else msgspec.structs.replace(view, open=there.open)


def current(request: AppRequest) -> View | None:
    """The view in the browser's address bar where HTMX asks from this list, else None."""
    try:
        address = urlsplit(request.headers.get("hx-current-url", ""))
    except ValueError:  # no browser says so
        return None
    return read(parse_qsl(address.query)) if address.path == PATH else None


def row(view: View, instructor: Instructor, mentees: Mentees | None) -> dict[str, Any]:
    """The context of _instructor.html: open with its mentees, closed with None."""
    return {
        "instructor": instructor,
        "mentees": mentees,
        "toggle": view.toggled(instructor.id, mentees is None).href(),
        "most": IN_A_ROW,
    }


def context(
    view: View, found: list[Instructor], total: int, opened: Mapping[UUID, Mentees]
) -> dict[str, Any]:
    """The context of _instructors.html."""
    return {
        "q": view.q,
        "sort": view.sort if view.sort != DEFAULT_SORT else "",
        "open": view.open,
        "note": view.note,
        "total": total,
        "rows": [row(view, instructor, opened.get(instructor.id)) for instructor in found],
        "sorts": {name: _sorting(view, name) for name in instructors.SORTS},
        "pagination": pages(lambda page: view.href(page=page), view.page, total, PER_PAGE),
    }


def _sorting(view: View, name: str) -> dict[str, str | None]:
    """A heading's link: the other way round if the list is sorted by it already; numbers begin with the greatest."""
    now = {name: "ascending", f"-{name}": "descending"}.get(view.sort)
    first = name if name in TEXTS else f"-{name}"
    wanted = {"ascending": f"-{name}", "descending": name}.get(now or "", first)
    return {"label": LABELS[name], "href": view.href(sort=wanted, page=1), "now": now}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
