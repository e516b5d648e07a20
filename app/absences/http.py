"""`/instructor/absences`: a mentor says when they are away, sees what that does first, and takes it back."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from app.absences import repository, rules, service, views
from app.absences.plan import Choice, Wish
from app.absences.rules import Days
from app.accounts.guards import requires_mentor
from app.booking.http import parse
from app.booking.proposals import open_of_mentor
from app.core.errors import BadRequest, Invalid, Refused
from app.core.ids import identifier, parse_id
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, fragment, is_htmx, page, posted, posted_all, see_other
from app.mentors import service as mentors

HOME: Final = "/instructor/absences"
MOST_SESSIONS: Final = 1000


@get(HOME, include_in_schema=False, guards=[requires_mentor])
async def index(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """Coming and past absences, and the form for another."""
    return await _page(request, uow, {"form": {"extend": "1"}})


@get(HOME + "/preview", include_in_schema=False, guards=[requires_mentor])
async def preview(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    first_day: FromQuery[str] = "",
    last_day: FromQuery[str] = "",
    extend: FromQuery[str] = "",
) -> Response[str]:
    """What being away on those days would do; nothing is changed."""
    form = {"first_day": first_day, "last_day": last_day, "extend": extend}
    try:
        found = await service.preview(uow, await _wish(uow, form))
    except Invalid as error:
        return await _page(request, uow, {"form": form, "errors": error.fields}, status=422)
    return await _page(request, uow, {"form": form, "preview": views.preview(found)})


@post(HOME, include_in_schema=False, guards=[requires_mentor])
async def create(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """Be away as the preview says; if it says something else by now, it is shown again and nothing is done."""
    form = await posted(request, "first_day", "last_day", "extend")
    seen, choices = await _chosen(request)
    try:
        done = await service.confirm(uow, await _wish(uow, form), seen, choices)
    except Invalid as error:
        return await _page(request, uow, {"form": form, "errors": error.fields}, status=422)
    except service.Changed as error:
        context = {"form": form, "preview": views.preview(error.preview, error), "refusal": error}
        return await _page(request, uow, context, status=error.status)
    told = f" {_people(len(done.told))} told by mail." if done.told else ""
    return see_other(request, HOME, Flash("done", f"You are away {done.wish.days.said}.{told}"))


@get(HOME + "/{absence_id:str}/return", include_in_schema=False, guards=[requires_mentor])
async def ask_return(
    request: AppRequest, uow: NamedDependency[UnitOfWork], absence_id: FromPath[str]
) -> Response[str]:
    """What taking it back means, and the button that does it."""
    absence = await repository.find(uow.session, uow.user_id, parse_id(absence_id))
    open_ = await repository.proposed_at(uow.session, uow.user_id, absence.created_at)
    days = Days(absence.first_day, absence.last_day)
    context: dict[str, Any] = {"id": absence.id, "title": days.title, "open": len(open_), "base": HOME}
    if is_htmx(request):
        return fragment(request, "absences/_return.html", **context)
    return page(request, "absences/return.html", **context)


@post(HOME + "/{absence_id:str}/return", include_in_schema=False, guards=[requires_mentor])
async def end(
    request: AppRequest, uow: NamedDependency[UnitOfWork], absence_id: FromPath[str]
) -> Response[str]:
    """Take it back."""
    try:
        await service.end(uow, parse_id(absence_id))
    except Refused as error:
        return see_other(request, HOME, Flash("problem", error.detail))
    return see_other(request, HOME, Flash("done", "Taken back. Those days are free to book again."))


async def _page(
    request: AppRequest, uow: UnitOfWork, shown: dict[str, Any], *, status: int = 200
) -> Response[str]:
    """The page with the form, or for HTMX only the form and what belongs to it."""
    today = await mentors.local_today(uow, uow.user_id)
    context = {"errors": {}, "preview": None, "refusal": None, "today": today.isoformat(), **shown}
    if is_htmx(request):
        return fragment(request, "absences/_new.html", status=status, **context)
    lists: dict[str, Any] = views.listed(await service.absences(uow), today)
    lists |= {"proposals": await open_of_mentor(uow), "zone": request.user.time_zone}
    return page(request, "absences/index.html", status=status, **context, **lists)


async def _wish(uow: UnitOfWork, form: dict[str, str]) -> Wish:
    today = await mentors.local_today(uow, uow.user_id)
    return Wish(rules.checked(form, today), bool(form["extend"]))


async def _chosen(request: AppRequest) -> tuple[dict[UUID, int], dict[UUID, Choice]]:
    """The sessions that were shown with their starts (`seen`: `<id>=<start>`), and what is chosen (`choice-<id>`)."""
    form = await request.form()
    texts = await posted_all(request, "seen")
    if len(texts) > MOST_SESSIONS:
        raise BadRequest("seen: more sessions than anybody has. Nothing was changed.")
    seen: dict[UUID, int] = {}
    choices: dict[UUID, Choice] = {}
    for text in texts:
        id_text, _, start = text.partition("=")
        session_id = identifier(id_text, "seen")
        seen[session_id] = int(parse.instant(start, "seen").timestamp())
        choice = form.get(f"choice-{session_id}", "")
        if isinstance(choice, str) and choice:
            choices[session_id] = _choice(choice)
    return seen, choices


def _choice(text: str) -> Choice:
    match text:
        case "keep":
            return "keep"
        case "cancel":
            return "cancel"
    return int(parse.instant(text, "choice").timestamp())


def _people(count: int) -> str:
    return "1 mentee is" if count == 1 else f"{count} mentees are"


HANDLERS: list[ControllerRouterHandler] = [index, preview, create, ask_return, end]
