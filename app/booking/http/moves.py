"""`/sessions/{id}/move`: a student picks another time for a session."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_student
from app.booking import dates, repository, service
from app.booking.facts import SessionRow
from app.booking.http import parse, picking
from app.booking.http.picking import Place, Shown
from app.booking.proposals_repository import answerable
from app.booking.refusals import NOT_MOVED, BookingRefused, shown
from app.booking.rules import refusal_to_move
from app.core import clock
from app.core.errors import Unavailable
from app.core.ids import identifier
from app.core.templating import stamp
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, is_htmx, posted, see_other


@get("/sessions/{session_id:str}/move", include_in_schema=False, guards=[requires_student])
async def ask(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
    month: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
) -> Response[str]:
    """As the calendar, for a session that has a time already."""
    asked = Shown(parse.month(month) if month else None, parse.date(day) if day else None)
    row = await repository.find(uow.session, identifier(session_id))
    refusal = refusal_to_move(row.status, row.start_seconds, int(clock.now().timestamp()))
    if refusal is not None and refusal.code == "too_late" and await answerable(uow.session, row.id):
        refusal = None
    if refusal is not None:
        return see_other(request, f"/sessions/{row.id}", Flash("problem", refusal.sentence))
    place = Place.move(row)
    picker = await picking.read(uow, viewer, row.mentor_id, place, asked)
    if is_htmx(request) and (month or day):
        return picking.part(request, picker, place, asked)
    return picking.whole(request, picker, place, asked)


@post("/sessions/{session_id:str}/move", include_in_schema=False, guards=[requires_student])
async def create(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """Move the session to the posted slot; refused, the day is shown again as it is now."""
    start_text, key = (await posted(request, "start", "idempotency_key")).values()
    id_, start = identifier(session_id), parse.instant(start_text)
    try:
        moved = await service.reschedule(
            uow,
            *parse.outside(request),
            session_id=id_,
            start=start,
            idempotency=parse.idempotency("POST /sessions/move", key),
        )
    except (BookingRefused, Unavailable) as error:
        asked = Shown(day=dates.date_of(int(start.timestamp()), viewer.time_zone))
        return await _refused(request, uow, viewer, await repository.find(uow.session, id_), asked, error)
    text = f"Moved to {stamp(moved.start, viewer.time_zone)}. The new invitation is on its way."
    return see_other(request, f"/sessions/{moved.id}", Flash("done", text))


async def _refused(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    row: SessionRow,
    asked: Shown,
    error: BookingRefused | Unavailable,
) -> Response[str]:
    place = Place.move(row)
    picker = await picking.read(uow, viewer, row.mentor_id, place, asked)
    return picking.refused(request, picker, place, asked, shown(error, NOT_MOVED))


HANDLERS: list[ControllerRouterHandler] = [ask, create]
