"""`/instructor/dashboard`: how a mentor's studio stands, and the part of it that follows what is done on the page."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_mentor
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, page, see_other
from app.dashboards import instructor

PATH = "/instructor/dashboard"
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get(PATH, guards=[requires_mentor], include_in_schema=False)
async def show(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Figures, sessions around now, mentees, months, and the calendar's state."""
    settings = request.app.state.platform.settings
    return page(request, "dashboards/instructor.html", **await instructor.page_of(uow, settings, viewer))


@get(PATH + "/figures", guards=[requires_mentor], include_in_schema=False)
async def figures(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """What changed since a session was marked: the figures and, out of band, all that hangs on them."""
    if not is_htmx(request):
        return see_other(request, PATH)
    return fragment(request, "dashboards/_instructor_live.html", **await instructor.live(uow, viewer))


HANDLERS: list[ControllerRouterHandler] = [show, figures]
