"""Packs by hand: sessions added or removed, an expiry moved, a pack given."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from whenever import Instant

from app.accounts.guards import requires_admin
from app.admin import holdings
from app.admin.http import by_hand
from app.core.errors import AppError, BadRequest, Invalid, Refused
from app.core.ids import identifier, new_id, parse_id
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, posted
from app.packs import adjusting
from app.packs import by_hand as giving

ADJUSTMENT: Final = "/admin/packs/{pack_id:str}/adjustment"
EXPIRY: Final = "/admin/packs/{pack_id:str}/expiry"
GRANT: Final = "/admin/users/{user_id:str}/packs"
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]
Form = dict[str, str]


@get(ADJUSTMENT, guards=[requires_admin], include_in_schema=False)
async def ask_adjustment(request: AppRequest, uow: Uow, pack_id: FromPath[str]) -> Response[str]:
    """How many to add or remove, and why."""
    return await _adjustment(request, uow, parse_id(pack_id), {"change": "add", "sessions": "1"})


@post(ADJUSTMENT, guards=[requires_admin], include_in_schema=False)
async def adjust(request: AppRequest, uow: Uow, viewer: Me, pack_id: FromPath[str]) -> Response[str]:
    """Add or remove sessions; if the pack changed since the form was shown, nothing happens."""
    id_ = parse_id(pack_id)
    form = await posted(request, "change", "sessions", "reason", "seen")
    try:
        pack = await _adjust(uow, id_, form)
    except (Refused, Invalid) as error:
        await uow.rollback()
        return await _adjustment(request, uow, id_, form, error)
    left = pack.remaining_sessions
    said = f"{'1 session is' if left == 1 else f'{left} sessions are'} left now. Both have been written to."
    return await by_hand.done(request, uow, viewer, pack.student_id, said)


async def _adjust(uow: UnitOfWork, pack_id: UUID, form: Form) -> Any:
    change = {"add": adjusting.add_sessions_to_pack, "remove": adjusting.remove_sessions_from_pack}
    if form["change"] not in change:
        raise Invalid({"change": "Choose whether to add or to remove."})
    count = by_hand.number(form["sessions"], "sessions", "Write how many, such as 2.")
    if not (form["seen"].isascii() and form["seen"].isdecimal() and len(form["seen"]) <= 6):
        raise BadRequest("seen: how many sessions were left is missing. Nothing was changed.")
    return await change[form["change"]](uow, pack_id, count, reason=form["reason"], seen=int(form["seen"]))


async def _adjustment(
    request: AppRequest, uow: UnitOfWork, pack_id: UUID, form: Form, error: AppError | None = None
) -> Response[str]:
    pack = await holdings.pack(uow, pack_id)
    return by_hand.ask(request, "adjustment", "Adjust sessions", error, pack=pack, form=form)


@get(EXPIRY, guards=[requires_admin], include_in_schema=False)
async def ask_expiry(request: AppRequest, uow: Uow, pack_id: FromPath[str]) -> Response[str]:
    """Until when, on whose clock, and why."""
    return await _expiry(request, uow, parse_id(pack_id), {})


@post(EXPIRY, guards=[requires_admin], include_in_schema=False)
async def set_expiry(request: AppRequest, uow: Uow, viewer: Me, pack_id: FromPath[str]) -> Response[str]:
    """Move the expiry; if it was moved since the form was shown, nothing happens."""
    id_ = parse_id(pack_id)
    form = await posted(request, "expires_on", "whose", "reason", "seen")
    try:
        pack = await _set_expiry(uow, id_, form)
    except (Refused, Invalid) as error:
        await uow.rollback()
        return await _expiry(request, uow, id_, form, error)
    return await by_hand.done(
        request, uow, viewer, pack.student_id, "The expiry is moved. Both have been written to."
    )


async def _set_expiry(uow: UnitOfWork, pack_id: UUID, form: Form) -> Any:
    pack = await holdings.pack(uow, pack_id)
    zones = {"student": pack.student_zone, "mentor": pack.mentor_zone}
    if form["whose"] not in zones:
        raise Invalid({"whose": "Choose on whose clock the day ends."})
    last_day = by_hand.day(form["expires_on"], "expires_on")
    try:
        seen = datetime.fromisoformat(form["seen"])
    except ValueError:
        seen = None
    if seen is None or seen.tzinfo is None:
        raise BadRequest("seen: the expiry that was shown is missing. Nothing was changed.")
    return await adjusting.change_expiry(
        uow, pack_id, last_day, zones[form["whose"]], reason=form["reason"], seen=seen
    )


async def _expiry(
    request: AppRequest, uow: UnitOfWork, pack_id: UUID, form: Form, error: AppError | None = None
) -> Response[str]:
    pack = await holdings.pack(uow, pack_id)
    if not form:
        today = Instant(pack.expires_at).to_tz(pack.student_zone).date()
        form = {"expires_on": today.format_iso(), "whose": "student"}
    return by_hand.ask(request, "expiry", "Move the expiry", error, pack=pack, form=form)


@get(GRANT, guards=[requires_admin], include_in_schema=False)
async def ask_grant(request: AppRequest, uow: Uow, user_id: FromPath[str]) -> Response[str]:
    """Whose sessions, how many, how long, and why."""
    form = {"sessions": "4", "days": "45", "key": str(new_id())}
    return await _grant(request, uow, parse_id(user_id), form)


@post(GRANT, guards=[requires_admin], include_in_schema=False)
async def grant(request: AppRequest, uow: Uow, viewer: Me, user_id: FromPath[str]) -> Response[str]:
    """Give a pack; the same form gives it once."""
    id_ = parse_id(user_id)
    form = await posted(request, "mentor_email", "sessions", "days", "reason", "key")
    try:
        given = await _give(uow, id_, form)
    except (Refused, Invalid) as error:
        await uow.rollback()
        return await _grant(request, uow, id_, form, error)
    said = "The pack is theirs. Both have been written to." if given else "That pack was given already."
    return await by_hand.done(request, uow, viewer, id_, said, "done" if given else "note")


async def _give(uow: UnitOfWork, user_id: UUID, form: Form) -> bool:
    student = await holdings.student(uow, user_id)
    return await giving.grant_pack(
        uow,
        await holdings.mentor_by_email(uow, form["mentor_email"]),
        student.id,
        sessions=by_hand.number(form["sessions"], "sessions", "Write how many, such as 4."),
        days=by_hand.number(form["days"], "days", "Write how many days, such as 45."),
        reason=form["reason"],
        key=f"form:{identifier(form['key'], 'key')}",
    )


async def _grant(
    request: AppRequest, uow: UnitOfWork, user_id: UUID, form: Form, error: AppError | None = None
) -> Response[str]:
    student = await holdings.student(uow, user_id)
    mentors = await holdings.mentors(uow)
    return by_hand.ask(request, "grant", "Give a pack", error, student=student, mentors=mentors, form=form)


HANDLERS: list[ControllerRouterHandler] = [
    *(ask_adjustment, adjust, ask_expiry, set_expiry, ask_grant, grant),
]
