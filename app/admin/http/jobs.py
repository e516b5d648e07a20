"""`/admin/jobs`: how sending stands, what is queued, what gave up, and another try for it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts import mail_pauses
from app.accounts.guards import requires_admin
from app.admin import jobs
from app.admin.health import health
from app.admin.http import listing
from app.core.ids import parse_id
from app.core.paging import turning
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other

PATH: Final = "/admin/jobs"
GONE: Final = "It isn’t waiting for that any more: somebody had it tried again already."
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get(PATH, guards=[requires_admin], include_in_schema=False)
async def index(
    request: AppRequest,
    uow: Uow,
    viewer: Me,
    type_: Annotated[str, QueryParameter(name="type", max_length=100)] = "",
    asked: Annotated[str, QueryParameter(name="page", max_length=100)] = "",
) -> Response[str]:
    """The queue, dead events by type and one by one, undelivered mails."""
    number = listing.page_number(asked)
    context = await _context(request, uow, viewer, type_, number or 1)
    unknown = "page" if number is None else "type" if context["chosen"] != type_ else None
    if unknown:
        context["said"] = Flash("note", listing.NO_SUCH.format(unknown))
    if is_htmx(request):
        return fragment(request, "admin/_jobs.html", **context)
    return page(request, "admin/jobs.html", **context)


@post(PATH + "/{event_id:str}/retries", guards=[requires_admin], include_in_schema=False)
async def retry(request: AppRequest, uow: Uow, viewer: Me, event_id: FromPath[str]) -> Response[str]:
    """Try one again."""
    done = await jobs.retry(uow, parse_id(event_id))
    said = "It is being tried again; reload in a moment to see what became of it." if done else GONE
    return await _said(request, uow, viewer, Flash("done" if done else "note", said))


@post(PATH + "/retries", guards=[requires_admin], include_in_schema=False)
async def retry_all(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Try all of a type again."""
    count = await jobs.retry_all(uow, (await posted(request, "type"))["type"])
    what = "1 job is" if count == 1 else f"{count} jobs are"
    said = f"{what} being tried again; reload in a moment to see what became of it." if count else GONE
    return await _said(request, uow, viewer, Flash("done" if count else "note", said))


async def _said(request: AppRequest, uow: UnitOfWork, viewer: Viewer, flash: Flash) -> Response[str]:
    if not is_htmx(request):
        return see_other(request, PATH, flash)
    return fragment(request, "admin/_jobs.html", said=flash, **await _context(request, uow, viewer, "", 1))


async def _context(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, type_: str, number: int
) -> dict[str, Any]:
    failures = await jobs.failures(uow)
    chosen = type_ if type_ in {one.type for one in failures} else ""
    found = await jobs.dead(uow, chosen, offset=(number - 1) * jobs.PER_PAGE)
    return {
        "health": await health(uow, request.app.state.platform.settings),
        "queue": await jobs.queue(uow),
        "failures": failures,
        "dead": found[: jobs.PER_PAGE],
        "chosen": chosen,
        "undelivered": await jobs.undelivered(uow),
        "paused": await mail_pauses.paused(uow),
        "pagination": turning(partial(_href, chosen), number, len(found), jobs.PER_PAGE),
        "zone": viewer.time_zone,
    }


def _href(type_: str, number: int) -> str:
    query = {"type": type_} if type_ else {}
    return f"{PATH}?{urlencode(query | ({'page': str(number)} if number > 1 else {}))}".rstrip("?")


HANDLERS: list[ControllerRouterHandler] = [index, retry, retry_all]
