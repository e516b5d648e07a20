"""Sessions of a student: book one, see them, cancel one. A mentor and an admin see a single session here too."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_student, requires_user
from app.booking import dates, lists, proposals, recording_views, service, views
from app.booking.http import parse, picking
from app.booking.http.attendance import context_of
from app.booking.http.picking import Place, Shown
from app.booking.ics import Meeting, invitation
from app.booking.models import SessionStatus
from app.booking.refusals import NOT_BOOKED, BookingRefused, Refusal, shown
from app.booking.rules import refusal_to_cancel
from app.core import clock
from app.core.errors import AppError, Forbidden, Unavailable
from app.core.ids import identifier
from app.core.paging import NO_PAGE, PER_PAGE, page_number, turning
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other

_BACK: Final = {
    Role.STUDENT: {"href": "/sessions", "label": "Sessions"},
    Role.MENTOR: {"href": "/instructor/sessions", "label": "My sessions"},
    Role.ADMIN: {"href": "/instructors", "label": "Instructors"},
}


@post("/sessions", include_in_schema=False, guards=[requires_student], status_code=201)
async def create(
    request: AppRequest, uow: NamedDependency[UnitOfWork], viewer: NamedDependency[Viewer]
) -> Response[str]:
    """Book the posted slot; refused, the day is shown again as it is now."""
    mentor, start_text, key = (await posted(request, "mentor_id", "start", "idempotency_key")).values()
    mentor_id, start = identifier(mentor, "mentor_id"), parse.instant(start_text)
    place = Place.booking(mentor_id)
    day = dates.date_of(int(start.timestamp()), viewer.time_zone)
    try:
        booked = await service.book(
            uow,
            *parse.outside(request),
            mentor_id=mentor_id,
            start=start,
            idempotency=parse.idempotency("POST /sessions", key),
        )
    except (BookingRefused, Unavailable) as error:
        return await _refused(request, uow, viewer, place, Shown(day=day), error)
    if not is_htmx(request):
        flash = Flash("done", "Booked. The invitation is on its way to you by mail.")
        return see_other(request, f"/sessions/{booked.session.id}", flash)
    until = booked.session.start - views.FREE_CHANGE
    note = {
        "id": booked.session.id,
        "start": booked.session.start,
        "end": booked.session.end,
        "can_cancel_until": until if until > clock.now() else None,
    }
    picker = await picking.read(uow, viewer, mentor_id, place, Shown(day=day))
    status = 201 if booked.created else 200
    return picking.outcome(request, picker, place, "booking/_booked.html", day, status, booked=note)


async def _refused(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    place: Place,
    asked: Shown,
    error: AppError,
) -> Response[str]:
    """The day again with the refusal and the slots as they are now."""
    mentor_id = identifier(place.query["mentor_id"])
    if not is_htmx(request):
        place = Place.booking(mentor_id, await lists.mentors_of(uow, viewer.id))
    picker = await picking.read(uow, viewer, mentor_id, place, asked)
    return picking.refused(request, picker, place, asked, shown(error, NOT_BOOKED))


@get("/sessions", include_in_schema=False, guards=[requires_student])
async def index(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    wanted: Annotated[str, QueryParameter(name="page", max_length=100)] = "1",
) -> Response[str]:
    """Upcoming and past sessions; for a page that isn't there the first one, with a note."""
    now = clock.now()
    upcoming = await lists.upcoming(uow, viewer.id, now)
    number, past = await _past(uow, viewer, now, page_number(wanted) or 1)
    proposed = await proposals.open_of_student(uow)
    asked = {proposal.session_id for proposal in proposed}
    return page(
        request,
        "booking/sessions.html",
        zone=viewer.time_zone,
        note=None if wanted == str(number) else NO_PAGE,
        proposals=proposed,
        upcoming=[views.row(session, viewer, now, proposed=session.id in asked) for session in upcoming],
        past=[views.row(session, viewer, now) for session in past[:PER_PAGE]],
        pagination=turning(lambda page: f"/sessions?page={page}", number, len(past)),
        can_book=await lists.has_credit(uow, viewer.id, now),
    )


async def _past(
    uow: UnitOfWork, viewer: Viewer, now: datetime, number: int
) -> tuple[int, list[lists.Listed]]:
    """That page of the past, or the first one where there is nothing on it."""
    found = await lists.past(uow, viewer.id, now, PER_PAGE + 1, (number - 1) * PER_PAGE)
    return (number, found) if found or number == 1 else await _past(uow, viewer, now, 1)


@get("/sessions/{session_id:str}", include_in_schema=False, guards=[requires_user])
async def show(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """One session, for its two people and admins."""
    found = await lists.one(uow, identifier(session_id))
    entries = await lists.history(uow, found.id)
    proposal = await proposals.open_of_session(uow, found.id)
    return page(
        request,
        "booking/session.html",
        zone=viewer.time_zone,
        session=views.row(found, viewer, clock.now(), proposed=proposal is not None),
        proposal=proposal,
        history=views.history(found, entries, viewer),
        dispute=views.dispute(found, entries, viewer, clock.now()),
        **await context_of(uow, found, viewer),
        consent=recording_views.consent(found, viewer, f"/sessions/{found.id}"),
        back=_BACK[viewer.role],
    )


@get("/sessions/{session_id:str}/invite.ics", include_in_schema=False, guards=[requires_user])
async def invite(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[bytes]:
    """The session as a file for the viewer's own calendar."""
    found = await lists.one(uow, identifier(session_id))
    meeting = Meeting(
        session_id=found.id,
        version=found.version,
        start=found.start,
        end=found.end,
        canceled=found.status is SessionStatus.CANCELED,
        with_name=views.other_person(found, viewer),
        name=viewer.name,
        email=viewer.email,
    )
    file = invitation(parse.settings_of(request), meeting)
    disposition = f'attachment; filename="{file.filename}"'
    return Response(file.content, media_type=file.content_type, headers={"content-disposition": disposition})


@get("/sessions/{session_id:str}/cancellation", include_in_schema=False, guards=[requires_user])
async def ask_cancellation(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """What canceling means now, and the button that does it."""
    return await _cancellation(request, uow, viewer, session_id)


@post("/sessions/{session_id:str}/cancellation", include_in_schema=False, guards=[requires_user])
async def cancel(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """Cancel a session."""
    try:
        await service.cancel(uow, identifier(session_id))
    except BookingRefused as error:
        return await _cancellation(request, uow, viewer, session_id, error.refusal)
    flash = Flash("done", "Canceled. We have written to both of you.")
    return see_other(request, _BACK[viewer.role]["href"], flash)


async def _cancellation(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, session_id: str, refusal: Refusal | None = None
) -> Response[str]:
    if viewer.role is Role.ADMIN:
        raise Forbidden
    found, now = await lists.one(uow, identifier(session_id)), clock.now()
    refusal = refusal or refusal_to_cancel(found.status, _seconds(found.start), _seconds(now))
    context: dict[str, Any] = {
        "session": views.row(found, viewer, now),
        "zone": viewer.time_zone,
        "action": f"/sessions/{found.id}/cancellation",
        "back": f"/sessions/{found.id}",
        "refusal": refusal,
        **views.cancellation(found, viewer, now),
    }
    status = refusal.status if refusal else 200
    if is_htmx(request):
        return fragment(request, "booking/_cancel.html", status=status, **context)
    return page(request, "booking/cancel.html", status=status, **context)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


HANDLERS: list[ControllerRouterHandler] = [create, index, show, invite, ask_cancellation, cancel]
