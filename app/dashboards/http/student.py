"""`/dashboard`: a student's instructors, sessions and what is to be done, and the checklist of getting started."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from app.accounts import student_profile
from app.accounts.guards import requires_student
from app.accounts.http.common import settings_of
from app.booking import views
from app.core import clock
from app.core.errors import Invalid
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other
from app.core.zones import zone_choices
from app.dashboards import student, student_checklist

PATH = "/dashboard"
ASIDE = "Put aside. You find it in your settings whenever you like."
FINISHED = "That was all. Have a good time."
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get("/", include_in_schema=False)
async def show(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """The dashboard."""
    return await _page(request, uow, viewer)


@post("/about", include_in_schema=False)
async def say_about(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """A few words about oneself."""
    return await _step(request, uow, viewer, "about")


@post("/goals", include_in_schema=False)
async def say_goals(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """What one would like to learn."""
    return await _step(request, uow, viewer, "goals")


@post("/time-zone", include_in_schema=False)
async def confirm_zone(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """The time zone is right, or another one is; the whole page is shown in it."""
    form = await posted(request, "time_zone")
    try:
        await student_profile.confirm_zone(uow, form["time_zone"])
    except Invalid as error:
        return await _again(request, uow, viewer, form, error)
    if form["time_zone"] == viewer.time_zone:
        return await _done(request, uow, viewer)
    return see_other(request, PATH, Flash("done", f"Times are shown in {form['time_zone']} now."))


@post("/checklist", include_in_schema=False)
async def put_aside(request: AppRequest, uow: Uow) -> Response[str]:
    """Finished, or not now: the list isn't shown any more."""
    form = await posted(request, "finished")
    await student_profile.put_aside(uow)
    return see_other(request, PATH, Flash("done", FINISHED if form["finished"] else ASIDE))


async def _step(request: AppRequest, uow: UnitOfWork, viewer: Viewer, name: str) -> Response[str]:
    form = await posted(request, name)
    try:
        await student_profile.change(uow, form, required=True)
    except Invalid as error:
        return await _again(request, uow, viewer, form, error)
    return await _done(request, uow, viewer)


async def _done(request: AppRequest, uow: UnitOfWork, viewer: Viewer) -> Response[str]:
    if is_htmx(request):
        return fragment(request, "dashboards/_checklist.html", **await _checklist(request, uow, viewer))
    return see_other(request, f"{PATH}#checklist", Flash("done", "Saved."))


async def _again(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, form: dict[str, str], error: Invalid
) -> Response[str]:
    """The list with what was typed and a sentence beside it."""
    wrong: dict[str, Any] = {"form": form, "errors": error.fields}
    if is_htmx(request):
        context = await _checklist(request, uow, viewer, wrong)
        return fragment(request, "dashboards/_checklist.html", status=error.status, **context)
    return await _page(request, uow, viewer, status=error.status, wrong=wrong)


async def _page(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    *,
    status: int = 200,
    wrong: dict[str, Any] | None = None,
) -> Response[str]:
    now = clock.now()
    board = await student.read(uow, viewer.id, now)
    return page(
        request,
        "dashboards/student.html",
        status=status,
        board=board,
        upcoming=[views.row(session, viewer, now) for session in board.upcoming],
        proposals=board.proposals,
        **await _checklist(request, uow, viewer, wrong),
    )


async def _checklist(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, wrong: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What dashboards/_checklist.html takes, with the page's zone. `wrong`: what was typed, which stays open."""
    profile = await student_profile.read(uow, viewer.id)
    discord = student_checklist.discord_href(settings_of(request))
    typed = wrong or {"form": {}, "errors": {}}
    saved = {"about": profile.about, "goals": profile.goals, "time_zone": viewer.time_zone}
    return {
        "checklist": student_checklist.checklist(profile, discord, list(typed["errors"])),
        "discord_href": None if profile.discord else discord,
        "form": saved | typed["form"],
        "errors": typed["errors"],
        "zones": zone_choices(),
        "zone": viewer.time_zone,
        "now": clock.now(),
    }


HANDLERS: list[ControllerRouterHandler] = [
    Router(
        PATH,
        route_handlers=[show, say_about, say_goals, confirm_zone, put_aside],
        guards=[requires_student],
    )
]
