"""Sessions edited in place: status, notes, the recording's link; for the mentor's list and for admins' pages alike.

Each form carries what its editor saw. An answer to HTMX replaces the row (status) or only what is said beside the
field (notes, link), never the field that is being typed in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from litestar import Response

from app.booking import lists, mentor_lists, service, views
from app.booking.http.notes import CHECKED
from app.booking.meanwhile import ChangedMeanwhile
from app.booking.models import SessionStatus
from app.booking.refusals import BookingRefused
from app.core import clock
from app.core.errors import BadRequest, Invalid, Refused
from app.core.seen import digest
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, posted_all, see_other

Shown = dict[str, Any]
_SAVED: Final = {"status": "Saved.", "notes": "Notes saved.", "recording_url": "Link saved."}
_TAKEN: Final = "The other version stays; yours was put aside."


@dataclass(frozen=True)
class Place:
    """Where sessions are edited. Their forms post to `{base}/{id}/status`, `…/notes`, `…/recording`.

    `home`: where a form sent without HTMX leads. `page`: that page again with one session as it is to be shown.
    """

    base: str
    home: Callable[[UUID], str]
    page: Callable[[AppRequest, UnitOfWork, Viewer, Shown, int], Awaitable[Response[str]]]


async def ask_cancellation(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, id_: UUID, place: Place
) -> Response[str]:
    """What canceling means, and the button that does it."""
    found, now = await lists.one(uow, id_), clock.now()
    context: Shown = {
        "session": views.mentor_row(found, viewer, now, place.base),
        "zone": viewer.time_zone,
        "action": f"{place.base}/{id_}/status",
        "fields": {"status": "canceled", "seen": found.status},
        "target": f"#session-{id_}",
        "back": place.home(id_),
        "refusal": None,
        **views.cancellation(found, viewer, now),
    }
    if is_htmx(request):
        return fragment(request, "booking/_cancel.html", **context)
    return page(request, "booking/cancel.html", **context)


async def set_status(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, id_: UUID, place: Place
) -> Response[str]:
    """Completed, no-show, canceled, or back to scheduled."""
    status, seen = (await posted(request, "status", "seen")).values()
    try:
        wanted = SessionStatus(status)
    except ValueError:
        raise BadRequest("status: choose completed, no_show, canceled or scheduled.") from None
    try:
        await service.mark(uow, id_, wanted, seen={"status": [seen]} if seen else None)
    except Refused as error:
        found = await _found(uow, viewer, id_, place)
        sentence = error.detail
        if isinstance(error, ChangedMeanwhile):
            sentence = views.meanwhile_status(found, error.by, viewer)
        return await _row(request, uow, viewer, place, found | {"errors": {"status": sentence}}, error.status)
    if not is_htmx(request):
        return see_other(request, place.home(id_), Flash("done", _SAVED["status"]))
    found = await _found(uow, viewer, id_, place)
    return await _row(request, uow, viewer, place, found | {"saved": "status"}, 200)


async def set_text(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, id_: UUID, place: Place, part: str
) -> Response[str]:
    """The notes or the link (`part`: `notes`, `recording_url`); the student sees them.

    `tried`: texts that were sent before without an answer, any of which may have been kept; `keep`: the digest of the other
    version that is to be overwritten; `take`: drop what was typed.
    """
    form = await posted(request, part, "seen", "keep", "take")
    typed = form[part]
    if form["take"]:
        return await _taken(request, uow, viewer, id_, place, part)
    try:
        value = CHECKED[part](typed)
        known = _seen(part, form, await posted_all(request, "tried"))
        await service.edit(uow, id_, details={part: value}, seen=known)
    except Invalid as error:
        return await _again(request, uow, viewer, id_, place, part, typed, 422, errors=error.fields)
    except BookingRefused as error:
        wrong = {part: error.detail}
        return await _again(request, uow, viewer, id_, place, part, typed, error.status, errors=wrong)
    except ChangedMeanwhile as error:
        found = await _found(uow, viewer, id_, place)
        other = views.meanwhile_text(found, part, error.by, viewer)
        seen = {**found["seen"], part: form["seen"]}
        return await _again(request, uow, viewer, id_, place, part, typed, 409, meanwhile=other, seen=seen)
    if not is_htmx(request):
        return see_other(request, place.home(id_), Flash("done", _SAVED[part]))
    found = await _found(uow, viewer, id_, place)
    return _state(request, viewer, part, found | {"saved": part}, 200)


def _seen(part: str, form: Mapping[str, str], tried: Sequence[str]) -> dict[str, list[str]]:
    if not form["seen"]:
        return {}
    return {part: [form["seen"], form["keep"], *filter(None, (_kept_as(part, text) for text in tried))]}


def _kept_as(part: str, text: str) -> str | None:
    """The digest of what is kept of a text; None for one that can't be."""
    try:
        return digest(CHECKED[part](text) or "")
    except Invalid:
        return None


async def _again(
    request: AppRequest,
    uow: UnitOfWork,
    viewer: Viewer,
    id_: UUID,
    place: Place,
    part: str,
    typed: str,
    status: int,
    **more: Any,
) -> Response[str]:
    """Why it wasn't kept, and what was typed."""
    found = await _found(uow, viewer, id_, place) | {part: typed, "expanded": True, **more}
    if is_htmx(request):
        return _state(request, viewer, part, found, status)
    return await place.page(request, uow, viewer, found, status)


async def _taken(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, id_: UUID, place: Place, part: str
) -> Response[str]:
    """What is stored instead of what was typed."""
    if not is_htmx(request):
        return see_other(request, place.home(id_), Flash("note", _TAKEN))
    found = await _found(uow, viewer, id_, place)
    return _state(request, viewer, part, found | {"taken": True}, 200)


async def _found(uow: UnitOfWork, viewer: Viewer, id_: UUID, place: Place) -> Shown:
    (shown,) = await mentor_lists.rows(uow, viewer, [await lists.one(uow, id_)], place.base)
    return shown


async def _row(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, place: Place, session: Shown, status: int
) -> Response[str]:
    """The session with its state and what can be done now; how many there are of each is told along with it.

    A page that shows more about sessions hears `session-changed` and asks for it again.
    """
    if not is_htmx(request):
        return await place.page(request, uow, viewer, session, status)
    counts = await mentor_lists.counts(uow, session["mentor_id"])
    return fragment(
        request,
        "booking/_instructor_marked.html",
        status=status,
        headers={"hx-trigger": "session-changed"} if status == 200 else None,
        session=session,
        zone=viewer.time_zone,
        counts=counts,
    )


def _state(request: AppRequest, viewer: Viewer, part: str, session: Shown, status: int) -> Response[str]:
    return fragment(
        request,
        "booking/_instructor_kept.html",
        status=status,
        session=session,
        part=part,
        zone=viewer.time_zone,
    )
