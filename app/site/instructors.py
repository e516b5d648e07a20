"""The public pages that bring people to mentors: landing, the list of instructors, a profile."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from app.core.errors import NotFound
from app.core.paging import NO_PAGE, page_number, pages
from app.core.unit_of_work import UnitOfWork
from app.core.web import Viewer, fragment, is_htmx, page
from app.site import repository
from app.site.standing import standing
from app.testimonials import repository as testimonials

PER_PAGE = 20
LONGEST_CODE = 100
SAID_ON_LANDING, SAID_ON_PROFILE = 3, 20
AppRequest = Request[Any, Any, Any]


def _zone(viewer: Viewer | None) -> str:
    return viewer.time_zone if viewer else "UTC"


@get("/", include_in_schema=False)
async def landing(
    request: AppRequest, uow: NamedDependency[UnitOfWork], viewer: NamedDependency[Viewer | None]
) -> Response[str]:
    """Who teaches here, when the next hour is free, and what students say."""
    mentors = await repository.first_mentors(uow, limit=8)
    mentors.sort(key=lambda mentor: not mentor.next_free)
    said = await testimonials.public(uow.session, None, SAID_ON_LANDING)
    return page(request, "site/landing.html", mentors=mentors[:4], zone=_zone(viewer), testimonials=said)


@get("/instructors", include_in_schema=False)
async def index(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer | None],
    q: Annotated[str, QueryParameter(max_length=100)] = "",
    number: Annotated[str, QueryParameter(name="page", max_length=100)] = "",
) -> Response[str]:
    """All mentors, searched by name and headline."""
    words = q.strip()
    asked = page_number(number)
    mentors, total = await repository.search_mentors(
        uow, words, limit=PER_PAGE, offset=((asked or 1) - 1) * PER_PAGE
    )
    if asked is not None and asked > 1 and not mentors:
        asked = None
        mentors, total = await repository.search_mentors(uow, words, limit=PER_PAGE, offset=0)
    context: dict[str, Any] = {
        "q": words,
        "total": total,
        "zone": _zone(viewer),
        "mentors": mentors,
        "pagination": pages(partial(_href, words), asked or 1, total, PER_PAGE),
        "note": NO_PAGE if asked is None else None,
    }
    if is_htmx(request):
        return fragment(request, "mentors/_list.html", **context)
    return page(request, "mentors/index.html", **context)


@get("/instructors/{slug:str}", include_in_schema=False)
async def profile(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer | None],
    slug: FromPath[str],
    code: FromQuery[str] = "",
) -> Response[str]:
    """One mentor: what they teach, what a pack costs, how many seats are left, when they are free.

    A discount's `code` in the link goes on to the checkout.
    """
    mentor = await repository.mentor_by_slug(uow, slug)
    if mentor is None:
        raise NotFound("There is no instructor at this address.")
    credit = await repository.own_credit(uow, viewer.id, mentor.id) if viewer else 0
    return page(
        request,
        "mentors/profile.html",
        mentor=mentor,
        zone=_zone(viewer),
        **await shop(uow, viewer, mentor.id, code),
        pack={"remaining": credit} if credit else None,
        testimonials=await testimonials.public(uow.session, mentor.id, SAID_ON_PROFILE),
        calendar_href=f"/calendar?{urlencode({'mentor_id': str(mentor.id)})}",
    )


async def shop(uow: UnitOfWork, viewer: Viewer | None, mentor_id: UUID, code: str = "") -> dict[str, Any]:
    """What mentors/_products.html takes besides the mentor and the zone."""
    return {
        "products": await repository.products_on_sale(uow, mentor_id),
        "standing": await standing(uow, viewer, mentor_id),
        "code_query": f"&{urlencode({'code': code})}" if 0 < len(code) <= LONGEST_CODE else "",
    }


def _href(words: str, number: int) -> str:
    return "/instructors?" + urlencode({"q": words, "page": number} if words else {"page": number})


HANDLERS = [landing, index, profile]
