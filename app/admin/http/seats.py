"""Seats by hand: given, released."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.admin import holdings
from app.admin.http import by_hand
from app.core.errors import AppError, BadRequest, Invalid, Refused
from app.core.ids import parse_id
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, posted
from app.packs import by_hand as giving
from app.packs.models import SeatStatus

GRANT: Final = "/admin/users/{user_id:str}/seats"
RELEASE: Final = "/admin/seats/{seat_id:str}/release"
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]
Form = dict[str, str]


@get(GRANT, guards=[requires_admin], include_in_schema=False)
async def ask_grant(
    request: AppRequest,
    uow: Uow,
    user_id: FromPath[str],
    mentor_email: Annotated[str, QueryParameter(max_length=254)] = "",
) -> Response[str]:
    """With whom, and why."""
    return await _grant(request, uow, parse_id(user_id), {"mentor_email": mentor_email})


@post(GRANT, guards=[requires_admin], include_in_schema=False)
async def grant(request: AppRequest, uow: Uow, viewer: Me, user_id: FromPath[str]) -> Response[str]:
    """Give a seat, if one is free."""
    id_ = parse_id(user_id)
    form = await posted(request, "mentor_email", "reason")
    try:
        student = await holdings.student(uow, id_)
        mentor_id = await holdings.mentor_by_email(uow, form["mentor_email"])
        await giving.grant_seat(uow, mentor_id, student.id, reason=form["reason"])
    except (Refused, Invalid) as error:
        await uow.rollback()
        return await _grant(request, uow, id_, form, error)
    return await by_hand.done(request, uow, viewer, id_, "The seat is theirs. Both have been written to.")


async def _grant(
    request: AppRequest, uow: UnitOfWork, user_id: UUID, form: Form, error: AppError | None = None
) -> Response[str]:
    student = await holdings.student(uow, user_id)
    mentors = await holdings.mentors(uow)
    return by_hand.ask(request, "seat", "Give a seat", error, student=student, mentors=mentors, form=form)


@get(RELEASE, guards=[requires_admin], include_in_schema=False)
async def ask_release(request: AppRequest, uow: Uow, seat_id: FromPath[str]) -> Response[str]:
    """What becomes of the sessions that are left, and the button that does it."""
    return await _release(request, uow, parse_id(seat_id), {})


@post(RELEASE, guards=[requires_admin], include_in_schema=False)
async def release(request: AppRequest, uow: Uow, viewer: Me, seat_id: FromPath[str]) -> Response[str]:
    """Release a seat; if it changed since the form was shown, nothing happens."""
    id_ = parse_id(seat_id)
    form = await posted(request, "reason", "seen")
    if form["seen"] not in set(SeatStatus):
        raise BadRequest("seen: the status that was shown is missing. Nothing was changed.")
    seat = await holdings.seat(uow, id_)
    try:
        await giving.release_seat(uow, id_, reason=form["reason"], seen=SeatStatus(form["seen"]))
    except (Refused, Invalid) as error:
        await uow.rollback()
        return await _release(request, uow, id_, form, error)
    said = "The seat is free. Both have been written to, and who waits is offered it."
    return await by_hand.done(request, uow, viewer, seat.student_id, said)


async def _release(
    request: AppRequest, uow: UnitOfWork, seat_id: UUID, form: Form, error: AppError | None = None
) -> Response[str]:
    seat = await holdings.seat(uow, seat_id)
    return by_hand.ask(request, "release", "Release a seat", error, seat=seat, form=form)


HANDLERS: list[ControllerRouterHandler] = [ask_grant, grant, ask_release, release]
