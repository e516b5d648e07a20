"""What an admin does to an account: `/admin/users/{id}/{role,deletion,restoration,impersonation,invitation}`.

What needs a second thought or a word of explanation asks first: in a dialog, or on a page of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts import impersonation, mail_pauses
from app.accounts import invitations as guests
from app.accounts.guards import requires_admin
from app.accounts.http.common import service_door, settings_of
from app.accounts.http.impersonation import put_on
from app.admin import accounts, invitations, person
from app.admin.http.users import PATH, ROLES
from app.core.errors import AppError, Invalid, Refused
from app.core.ids import parse_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Flash, fragment, is_htmx, page, posted, see_other

Uow = NamedDependency[UnitOfWork]
Id = FromPath[str]
ASKED = ("role", "deletion", "impersonation", "withdrawal")


@dataclass(frozen=True)
class Act:
    """Something asked for: about whom, by which admin, and what the form said."""

    request: AppRequest
    uow: UnitOfWork
    user_id: UUID

    @property
    def page(self) -> str:
        """The person's page."""
        return f"/admin/users/{self.user_id}"

    def done(self, said: str) -> Response[str]:
        """Back to the person, and say what happened."""
        return see_other(self.request, self.page, Flash("done", said))

    def refused(self, error: AppError) -> Response[str]:
        """Back to the person, and say why nothing happened."""
        return see_other(self.request, self.page, Flash("problem", error.detail))


@get([f"{PATH}/{act}" for act in ASKED], guards=[requires_admin], include_in_schema=False)
async def ask(request: AppRequest, uow: Uow, user_id: Id) -> Response[str]:
    """What it means, and the button that does it."""
    return await _ask(Act(request, uow, parse_id(user_id)), request.url.path.rpartition("/")[2])


@post(PATH + "/role", guards=[requires_admin], include_in_schema=False)
async def change_role(request: AppRequest, uow: Uow, user_id: Id) -> Response[str]:
    """Make somebody a student, an instructor or an admin."""
    act = Act(request, uow, parse_id(user_id))
    form = await posted(request, "role")
    try:
        if form["role"] not in set(Role):
            raise Invalid({"role": "Please choose one of the list."})
        role = Role(form["role"])
        async with service_door(request, ServiceDoor.ADMIN) as service:
            changed = await accounts.change_role(service, act.user_id, role, by=uow.principal)
    except (Invalid, Refused) as error:
        return await _ask(act, "role", error, form)
    now = ROLES[role].lower()
    return act.done(
        f"Now {_a(now)}; they were signed out everywhere." if changed else f"They are {_a(now)} already."
    )


@post(PATH + "/deletion", guards=[requires_admin], include_in_schema=False)
async def delete(request: AppRequest, uow: Uow, user_id: Id) -> Response[str]:
    """Delete an account, so that it can be restored."""
    act = Act(request, uow, parse_id(user_id))
    try:
        async with service_door(request, ServiceDoor.ADMIN) as service:
            await accounts.delete(service, act.user_id, by=uow.principal)
    except Refused as error:
        return await _ask(act, "deletion", error)
    return act.done("This account is deleted. It can be restored as it was.")


@post(PATH + "/restoration", guards=[requires_admin], include_in_schema=False)
async def restore(request: AppRequest, uow: Uow, user_id: Id) -> Response[str]:
    """Give a deleted account back."""
    act = Act(request, uow, parse_id(user_id))
    try:
        async with service_door(request, ServiceDoor.ADMIN) as service:
            await accounts.restore(service, act.user_id, by=uow.principal)
    except Refused as error:
        return act.refused(error)
    return act.done("This account is back as it was; they can sign in again.")


@post(PATH + "/impersonation", guards=[requires_admin], include_in_schema=False)
async def sign_in_as(request: AppRequest, uow: Uow, user_id: Id) -> Response[str]:
    """Be signed in as somebody else, for an hour."""
    act = Act(request, uow, parse_id(user_id))
    form = await posted(request, "reason")
    try:
        async with service_door(request, ServiceDoor.ADMIN) as service:
            worn = await impersonation.begin(
                service,
                act.user_id,
                reason=form["reason"],
                by=uow.principal,
                user_agent=request.headers.get("user-agent"),
            )
    except (Invalid, Refused) as error:
        return await _ask(act, "impersonation", error, form)
    return put_on(request, worn)


@post(PATH + "/invitation", guards=[requires_admin], include_in_schema=False)
async def invite_again(request: AppRequest, uow: Uow, user_id: Id) -> Response[str]:
    """Mail a new link; the one before ends."""
    act = Act(request, uow, parse_id(user_id))
    try:
        async with service_door(request, ServiceDoor.ADMIN) as service:
            await guests.send_again(service, settings_of(request), act.user_id, by=uow.principal)
    except Refused as error:
        return act.refused(error)
    return act.done("A new invitation is on its way; the link before has ended.")


@post(PATH + "/mail-resumption", guards=[requires_admin], include_in_schema=False)
async def resume_mail(request: AppRequest, uow: Uow, user_id: Id) -> Response[str]:
    """Send mail to an address again that turned it away, or whose reader complained."""
    act = Act(request, uow, parse_id(user_id))
    done = await mail_pauses.resume(uow, act.user_id)
    return act.done("The next mail goes to them again." if done else "Mail goes to them already.")


@post(PATH + "/withdrawal", guards=[requires_admin], include_in_schema=False)
async def withdraw(request: AppRequest, uow: Uow, user_id: Id) -> Response[str]:
    """Take an invitation back."""
    act = Act(request, uow, parse_id(user_id))
    try:
        async with service_door(request, ServiceDoor.ADMIN) as service:
            await invitations.withdraw(service, act.user_id, by=uow.principal)
    except Refused as error:
        return await _ask(act, "withdrawal", error)
    return act.done("The invitation is taken back: its link doesn't work any more.")


async def _ask(
    act: Act, name: str, error: AppError | None = None, form: dict[str, str] | None = None
) -> Response[str]:
    user = await person.person(act.uow, act.user_id)
    refusal = None
    if isinstance(error, Refused):
        refusal = {"code": error.code, "title": "Not yet", "detail": error.detail}
    context: dict[str, Any] = {
        "user": user,
        "act": name,
        "form": form or {"role": user.role},
        "errors": error.fields if isinstance(error, Invalid) else {},
        "refusal": refusal,
        "roles": ROLES,
    }
    status = error.status if error else 200
    if is_htmx(act.request):
        return fragment(act.request, "admin/_user_act.html", status=status, **context)
    return page(act.request, "admin/user_act.html", status=status, standalone=True, **context)


def _a(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


HANDLERS: list[ControllerRouterHandler] = [
    ask,
    change_role,
    delete,
    restore,
    sign_in_as,
    invite_again,
    resume_mail,
    withdraw,
]
