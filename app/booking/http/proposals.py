"""`/sessions/{id}/proposal`: a student answers the time that is proposed for a session."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_student
from app.booking import lists, proposals
from app.booking.http import parse
from app.booking.offers import Offers, instant, offers
from app.booking.proposals_repository import Proposal
from app.booking.refusals import NOT_MOVED, BookingRefused, Refusal, refusal, shown
from app.core.errors import Unavailable
from app.core.ids import identifier
from app.core.templating import stamp
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other

ALTERNATIVES: Final = 4
PAGE: Final = "/sessions/{session_id:str}/proposal"


@get(PAGE, include_in_schema=False, guards=[requires_student])
async def show(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """The session as it is, the proposed time, and what can be done about it."""
    return await _page(request, uow, viewer, session_id)


@post(PAGE + "/acceptance", include_in_schema=False, guards=[requires_student])
async def accept(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """Move the session to the proposed time; refused, the page is shown again as it is now."""
    id_, proposal_id = identifier(session_id), await _proposal_id(request)
    try:
        moved = await proposals.accept(uow, *parse.outside(request), id_, proposal_id)
    except (BookingRefused, Unavailable) as error:
        return await _page(request, uow, viewer, session_id, shown(error, NOT_MOVED))
    text = f"Moved to {stamp(moved.start, viewer.time_zone)}. The new invitation is on its way."
    return see_other(request, f"/sessions/{moved.id}", Flash("done", text))


@post(PAGE + "/refusal", include_in_schema=False, guards=[requires_student])
async def decline(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
) -> Response[str]:
    """Keep the session where it is."""
    id_, proposal_id = identifier(session_id), await _proposal_id(request)
    try:
        await proposals.decline(uow, id_, proposal_id)
    except BookingRefused as error:
        return await _page(request, uow, viewer, session_id, error.refusal)
    found = await lists.one(uow, id_)
    text = f"Your session stays where it is. We have written to {found.mentor_name}."
    return see_other(request, f"/sessions/{id_}", Flash("done", text))


async def _proposal_id(request: AppRequest) -> Any:
    return identifier((await posted(request, "proposal_id"))["proposal_id"], "proposal_id")


async def _page(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, session_id: str, refused: Refusal | None = None
) -> Response[str]:
    session = await lists.one(uow, identifier(session_id))
    proposal = await proposals.open_of_session(uow, session.id)
    if proposal is None:
        flash = Flash("problem" if refused else "note", (refused or refusal("proposal_closed", "")).sentence)
        return see_other(request, f"/sessions/{session.id}", flash)
    since, until = sorted((proposal.proposed_start, session.start))
    found = await offers(uow, session.mentor_id, since, until, to_horizon=True, moving=session.id)
    context: dict[str, Any] = {
        "session": {"id": session.id, "start": session.start, "end": session.end},
        "proposal": proposal,
        "zone": viewer.time_zone,
        "refusal": refused,
        **_times(found, proposal),
    }
    status = refused.status if refused else 200
    if is_htmx(request):
        return fragment(request, "booking/_proposal.html", status=status, **context)
    return page(request, "booking/proposal.html", status=status, **context)


def _times(found: Offers, proposal: Proposal) -> dict[str, Any]:
    """Whether the proposed time can be had, and where it can't, those that are nearest to it."""
    wanted, where = int(proposal.proposed_start.timestamp()), int(proposal.start.timestamp())
    now = found.now
    till = now + (found.mentor.horizon_days + 1) * 86_400
    free = [slot for slot in found.between(now, till) if found.bookable and slot.start != where]
    nearest = sorted(free, key=lambda slot: abs(slot.start - wanted))[:ALTERNATIVES]
    is_free = any(slot.start == wanted for slot in nearest)
    return {
        "is_free": is_free,
        "alternatives": []
        if is_free
        else [{"start": instant(slot.start), "end": instant(slot.end)} for slot in sorted(nearest)],
    }


HANDLERS: list[ControllerRouterHandler] = [show, accept, decline]
