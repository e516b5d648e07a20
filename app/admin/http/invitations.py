"""`/admin/invitations`: an account for somebody else. `/invitations/{token}`: where they take it up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.accounts.http.common import (
    browser_of,
    form_again,
    remember,
    service_door,
    settings_of,
)
from app.accounts.invitations import Invitation, Invited, invitation
from app.admin import invitations
from app.admin.accounts import DEFAULT_SEATS
from app.core.errors import Invalid
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import HOME, AppRequest, Flash, is_htmx, page, posted, see_other
from app.core.zones import zone_choices

PATH = "/admin/invitations"
TAKEN = "There is an account with this address already. Nothing was sent."
FIRST = {
    Role.STUDENT: "Welcome! Times are shown in {zone}; you can change that in the settings.",
    Role.MENTOR: "Welcome! Set your hours, and students can find times with you.",
}


@get(PATH, guards=[requires_admin], include_in_schema=False, sync_to_thread=False)
def form_page(request: AppRequest) -> Response[str]:
    """The form, for a student or an instructor."""
    role = "mentor" if request.query_params.get("role") == "mentor" else "student"
    form = {"role": role, "seats": str(DEFAULT_SEATS)}
    return page(request, "admin/invitation.html", form=form, errors={}, known=None, zones=_zones())


@post(PATH, guards=[requires_admin], include_in_schema=False)
async def invite(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[str]:
    """Make the account and mail the link; an address that has an account is led to it."""
    form = await posted(request, "name", "email", "role", "time_zone", "seats")
    try:
        invited = await _invite(request, uow, form)
    except Invalid as error:
        return _again(request, form, error.fields)
    if not invited.is_new:
        return _again(request, form, {"email": TAKEN}, known=invited.user_id)
    said = "The invitation is on its way; its link works for {} days."
    done = Flash("done", said.format(settings_of(request).invitation_days))
    return see_other(request, f"/admin/users/{invited.user_id}", done)


async def _invite(request: AppRequest, uow: UnitOfWork, form: dict[str, str]) -> Invited:
    role = Role(form["role"]) if form["role"] in ("student", "mentor") else Role.ADMIN  # which is refused
    seats = invitations.seats_of(form["seats"]) if role is Role.MENTOR else 0
    async with service_door(request, ServiceDoor.ADMIN) as service:
        return await invitations.invite(
            service,
            settings_of(request),
            email=form["email"],
            name=form["name"],
            role=role,
            time_zone=form["time_zone"],
            seats=seats,
            by=uow.principal,
        )


def _again(
    request: AppRequest, form: dict[str, str], errors: dict[str, str], known: UUID | None = None
) -> Response[str]:
    return form_again(request, "admin/invitation.html", form, errors, known=known, zones=_zones())


def _zones() -> list[tuple[str, str]]:
    return [("", "They will say themselves"), *((zone, zone) for zone in zone_choices())]


@get("/invitations/{token:str}", include_in_schema=False)
async def guest_page(request: AppRequest, token: FromPath[str]) -> Response[str]:
    """Choose a password and confirm the zone, while the link works."""
    async with service_door(request) as uow:
        guest = await invitation(uow, token)
    if guest is None:
        return _ended(request)
    form = {"time_zone": "" if guest.time_zone == "UTC" else guest.time_zone}
    return page(request, "accounts/invitation.html", **_context(token, guest), form=form, errors={})


@post("/invitations/{token:str}", include_in_schema=False)
async def take_up(request: AppRequest, token: FromPath[str]) -> Response[str]:
    """Take the account up and be signed in."""
    form = await posted(request, "password", "time_zone")
    async with service_door(request) as uow:
        guest = await invitation(uow, token)
    if guest is None:
        return _ended(request)
    try:
        async with service_door(request) as uow:
            person = await invitations.accept(
                uow, settings_of(request), token, **form, browser=browser_of(request)
            )
    except Invalid as error:
        return form_again(request, "accounts/invitation.html", form, error.fields, **_context(token, guest))
    if person is None:
        return _ended(request)
    welcome = Flash("done", FIRST[person.role].format(zone=person.time_zone))
    return remember(request, see_other(request, HOME[person.role], welcome), person.secret)


def _context(token: str, guest: Invitation) -> dict[str, Any]:
    return {"state": "ask", "token": token, "guest": guest, "zones": zone_choices()}


def _ended(request: AppRequest) -> Response[str]:
    if is_htmx(request):
        return see_other(request, request.url.path)
    return page(request, "accounts/invitation.html", state="ended", status=410)


HANDLERS: list[ControllerRouterHandler] = [form_page, invite, guest_page, take_up]
