"""`/instructor/sessions/{id}/proposal`: a mentor proposes another time for a session, or takes the proposal back."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_mentor
from app.booking import dates, lists, proposals, proposals_times, repository
from app.booking.http import parse, picking
from app.booking.http.picking import Place, Shown
from app.booking.picker import Picker
from app.booking.refusals import BookingRefused
from app.booking.rules import refusal_to_propose
from app.core import clock
from app.core.ids import identifier
from app.core.templating import stamp
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, is_htmx, posted, see_other

PAGE: Final = "/instructor/sessions/{session_id:str}/proposal"


@get(PAGE, include_in_schema=False, guards=[requires_mentor])
async def ask(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
    month: FromQuery[str | None] = None,
    day: FromQuery[str | None] = None,
) -> Response[str]:
    """The times to which the student could move it."""
    asked = Shown(parse.month(month) if month else None, parse.date(day) if day else None)
    place, picker = await _read(uow, viewer, identifier(session_id), asked)
    session = place.context["moving"]
    refusal = refusal_to_propose(
        session["status"], int(session["start"].timestamp()), int(clock.now().timestamp())
    )
    if refusal is not None:
        return see_other(request, f"/sessions/{session_id}", Flash("problem", refusal.sentence))
    if is_htmx(request) and (month or day):
        return picking.part(request, picker, place, asked)
    return picking.whole(request, picker, place, asked)


@post(PAGE, include_in_schema=False, guards=[requires_mentor])
async def create(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """Propose the posted time; refused, the day is shown again as it is now."""
    id_, start = identifier(session_id), parse.instant((await posted(request, "start"))["start"])
    try:
        await proposals.propose(uow, id_, start)
    except BookingRefused as error:
        asked = Shown(day=dates.date_of(int(start.timestamp()), viewer.time_zone))
        place, picker = await _read(uow, viewer, id_, asked)
        return picking.refused(request, picker, place, asked, error.refusal)
    found = await lists.one(uow, id_)
    text = f"{stamp(start, viewer.time_zone)} is proposed. {found.student_name} hears of it by mail."
    return see_other(request, f"/sessions/{id_}", Flash("done", text))


@post(PAGE + "/withdrawal", include_in_schema=False, guards=[requires_mentor])
async def withdraw(
    request: AppRequest, uow: NamedDependency[UnitOfWork], session_id: FromPath[str]
) -> Response[str]:
    """Take the proposal back; the session stays where it is."""
    id_ = identifier(session_id)
    if await proposals.withdraw(uow, id_):
        flash = Flash("done", "Taken back. The session stays where it is, and your mentee hears of it.")
    else:
        flash = Flash("note", "Nothing is proposed for this session any more.")
    return see_other(request, f"/sessions/{id_}", flash)


async def _read(uow: UnitOfWork, viewer: Viewer, id_: UUID, asked: Shown) -> tuple[Place, Picker]:
    """Where the time is picked, and the times."""
    row, session = await repository.find(uow.session, id_), await lists.one(uow, id_)
    path = f"/instructor/sessions/{id_}/proposal"
    moving = {"id": id_, "start": session.start, "end": session.end, "status": session.status}
    context: dict[str, Any] = {"moving": moving, "student": session.student_name, "balance": None}
    near = row.start_seconds, int(row.ends_at.timestamp())
    place = Place("booking/proposal_new.html", path, {}, path, "Propose", context, id_, near)
    found = await proposals_times.offers_to(uow, row, *picking.window(viewer, place, asked), to_horizon=True)
    context["blocked"] = found.refusal
    return place, Picker(found, viewer.time_zone, path, {}, there=session.student_zone)


HANDLERS: list[ControllerRouterHandler] = [ask, create, withdraw]
