"""`/admin`: the house at a glance. `/admin/calendars`: calendars that need a hand."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.admin import calendars, health
from app.admin import overview as figures
from app.booking import lists
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, page
from app.disputes import repository as disputes

CONFLICTS = 100
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get("/admin", include_in_schema=False, guards=[requires_admin])
async def index(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """What keeps messages from being sent, figures of this month, what waits for somebody, and the usual errands."""
    month = figures.this_month(clock.now(), viewer.time_zone)
    found = await figures.figures(uow, month)
    return page(
        request,
        "admin/overview.html",
        figures=found,
        chores=figures.chores(found, await disputes.waiting(uow.session)),
        troubles=await health.urgent_now(uow, request.app.state.platform.settings),
        month=month.name,
        zone=viewer.time_zone,
    )


@get("/admin/calendars", include_in_schema=False, guards=[requires_admin])
async def show_calendars(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Disconnected calendars, and sessions that their mentors changed in Google."""
    return page(
        request,
        "admin/calendars.html",
        revoked=await calendars.revoked(uow),
        conflicts=await lists.in_conflict(uow, CONFLICTS),
        zone=viewer.time_zone,
    )


HANDLERS: list[ControllerRouterHandler] = [index, show_calendars]
