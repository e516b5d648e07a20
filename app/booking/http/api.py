"""The JSON interface of booking: what is free, book, move or cancel. Instants are RFC 3339 in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from itertools import starmap
from typing import Annotated, Final

import msgspec
from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_mentor, requires_student, requires_user
from app.booking import repository, service
from app.booking.facts import SessionFacts
from app.booking.http import parse
from app.booking.http.fresh import with_slots
from app.booking.http.notes import checked_notes, checked_recording
from app.booking.http.schemas import (
    MARK_PROBLEMS,
    PROBLEMS,
    Availability,
    Change,
    ClosedTime,
    MentorChange,
    MentorSession,
    Offer,
    WhyNot,
    Wish,
)
from app.booking.meanwhile import seen_of
from app.booking.offers import Offers, instant, offers
from app.core import clock
from app.core.errors import BadRequest
from app.core.ids import identifier
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer

MAX_DAYS: Final = 62
DEFAULT_DAYS: Final = 31
_OFFERED: Final = "start and end of the range, RFC 3339; at most 62 days; by default 31 days from now"


@get("/api/mentors/{mentor_id:str}/availability", operation_id="availability", responses=PROBLEMS)
async def availability(
    uow: NamedDependency[UnitOfWork],
    mentor_id: FromPath[str],
    start: Annotated[str | None, QueryParameter(description=_OFFERED)] = None,
    end: Annotated[str | None, QueryParameter(description=_OFFERED)] = None,
    explain: Annotated[bool, QueryParameter(description="also say what is closed, and why")] = False,
) -> Availability:
    """When a mentor is free."""
    id_ = identifier(mentor_id, "mentor_id")
    since, until = _range(start, end)
    found = await offers(uow, id_, since, until)
    window = int(since.timestamp()), _seconds_up(until)
    mentor, refusal = found.mentor, found.refusal
    return Availability(
        mentor_id=mentor.id,
        time_zone=mentor.time_zone,
        session_minutes=mentor.session_minutes,
        mirror_age_s=None if mentor.mirrored_at is None else max(0, found.now - mentor.mirrored_at),
        bookable=found.bookable,
        refusal=WhyNot(refusal.code, refusal.sentence) if refusal else None,
        slots=list(starmap(_offer, found.between(*window))),
        closed=_closed(found, window) if explain else msgspec.UNSET,
    )


@post("/api/sessions", operation_id="book", guards=[requires_student], status_code=201, responses=PROBLEMS)
async def book(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    data: JSONBody[Wish],
    key: Annotated[str | None, HeaderParameter(name="Idempotency-Key")] = None,
) -> Response[SessionFacts]:
    """Book a session: 201, or 200 with the session that is there already."""
    mentor_id = identifier(data.mentor_id, "mentor_id")
    start = parse.instant(data.start)
    idempotency = parse.idempotency("POST /api/sessions", key)
    async with with_slots(uow, mentor_id, start, viewer.time_zone):
        booked = await service.book(
            uow,
            *parse.outside(request),
            mentor_id=mentor_id,
            start=start,
            idempotency=idempotency,
        )
    return Response(booked.session, status_code=201 if booked.created else 200)


@patch(
    "/api/sessions/{session_id:str}",
    operation_id="change_session",
    guards=[requires_user],
    responses=PROBLEMS,
)
async def change(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    session_id: FromPath[str],
    data: JSONBody[Change],
    key: Annotated[str | None, HeaderParameter(name="Idempotency-Key")] = None,
) -> SessionFacts:
    """Move a session of one's own, or cancel it."""
    id_ = identifier(session_id)
    if (data.start is None) == (data.status is None):
        raise BadRequest("Give either start or status. Nothing was changed.")
    if data.start is None:
        return await service.cancel(uow, id_)
    start = parse.instant(data.start)
    idempotency = parse.idempotency("PATCH /api/sessions", key)
    async with with_slots(uow, None, start, viewer.time_zone, moving=id_):
        return await service.reschedule(
            uow, *parse.outside(request), session_id=id_, start=start, idempotency=idempotency
        )


@patch(
    "/api/instructor/sessions/{session_id:str}",
    operation_id="mark_session",
    guards=[requires_mentor],
    responses=MARK_PROBLEMS,
)
async def mark(
    uow: NamedDependency[UnitOfWork], session_id: FromPath[str], data: JSONBody[MentorChange]
) -> MentorSession:
    """Set status, notes or the recording's link of a session of one's own, all or nothing."""
    id_ = identifier(session_id)
    status = None if data.status is msgspec.UNSET else data.status
    details: dict[str, str | None] = {}
    if data.notes is not msgspec.UNSET:
        details["notes"] = checked_notes(data.notes)
    if data.recording_url is not msgspec.UNSET:
        details["recording_url"] = checked_recording(data.recording_url)
    seen = None if data.seen is msgspec.UNSET else seen_of(msgspec.to_builtins(data.seen))
    found = await service.edit(uow, id_, status=status, details=details, seen=seen)
    row = await repository.find(uow.session, id_)
    return MentorSession(
        **msgspec.structs.asdict(found),
        notes=row.notes,
        recording_url=row.recording_url,
        recording_consent=row.recording_consent,
        recording_expires_at=row.recording_expires_at,
    )


@lru_cache(maxsize=8192)
def _offer(start: int, end: int) -> Offer:
    """A slot as it is answered; everybody asks for the same half hours."""
    return Offer(instant(start), instant(end))


def _range(start: str | None, end: str | None) -> tuple[datetime, datetime]:
    since = parse.instant(start, "start") if start else clock.now()
    until = parse.instant(end, "end") if end else since + timedelta(days=DEFAULT_DAYS)
    if until <= since:
        raise BadRequest("end: the range must end after it starts.")
    if until - since > timedelta(days=MAX_DAYS):
        raise BadRequest(f"end: the range is longer than {MAX_DAYS} days.")
    return since, until


def _closed(found: Offers, window: tuple[int, int]) -> list[ClosedTime]:
    return [ClosedTime(instant(start), instant(end), reason) for start, end, reason in found.closed(*window)]


def _seconds_up(moment: datetime) -> int:
    return -int(-moment.timestamp() // 1)


HANDLERS: list[ControllerRouterHandler] = [availability, book, change, mark]
