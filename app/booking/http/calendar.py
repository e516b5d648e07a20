"""`/calendar`: a student picks a mentor, a day, a time."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_student
from app.booking import lists
from app.booking.http import parse, picking
from app.booking.http.picking import Place, Shown
from app.core.ids import identifier
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, is_htmx, page


@get("/calendar", include_in_schema=False, guards=[requires_student])
async def calendar(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    mentor_id: FromQuery[str | None] = None,
    month: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
) -> Response[str]:
    """The month, the day and the balance; for HTMX the day, or the month alone."""
    shown = Shown(parse.month(month) if month else None, parse.date(day) if day else None)
    wanted = identifier(mentor_id, "mentor_id") if mentor_id else None
    if wanted is not None and is_htmx(request) and (month or day):
        place = Place.booking(wanted)
        return picking.part(request, await picking.read(uow, viewer, wanted, place, shown), place, shown)
    mentors = await lists.mentors_of(uow, viewer.id)
    if wanted is None:
        if not mentors:
            return page(request, "booking/calendar.html", mentor=None, mentors=[])
        wanted = mentors[0].id
    place = Place.booking(wanted, mentors)
    return picking.whole(request, await picking.read(uow, viewer, wanted, place, shown), place, shown)


HANDLERS: list[ControllerRouterHandler] = [calendar]
