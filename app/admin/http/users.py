"""`/admin/users/{id}`: one person, with everything an admin has to know about them, and what can be done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.admin import audit_log, audit_words, person
from app.core import clock
from app.core.ids import parse_id
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Viewer, page

PATH = "/admin/users/{user_id:str}"
ROLES = {Role.STUDENT: "Student", Role.MENTOR: "Instructor", Role.ADMIN: "Admin"}
STATES = {
    "active": "Active",
    "invited": "Invited",
    "unverified": "Unconfirmed",
    "deleted": "Deleted",
    "erased": "Erased",
}


@get(PATH, guards=[requires_admin], include_in_schema=False)
async def show(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    user_id: FromPath[str],
) -> Response[str]:
    """The account, packs and seats, sessions, orders, places on waitlists, and what was done to it."""
    id_ = parse_id(user_id)
    found = await person.person(uow, id_)
    history = await person.history(uow, id_)
    return page(
        request,
        "admin/user.html",
        user=found,
        **{name: getattr(history, name) for name in history.__struct_fields__},
        entries=described(await audit_log.about(uow, id_, person.AT_MOST), viewer.time_zone),
        roles=ROLES,
        states=STATES,
        is_me=id_ == viewer.id,
        at_most=person.AT_MOST,
        now=clock.now(),
        zone=viewer.time_zone,
    )


def described(entries: list[audit_log.Entry], zone: str) -> list[dict[str, Any]]:
    """Entries of the audit log as pages show them."""
    return [
        {
            "entry": entry,
            "what": audit_words.action(entry.action),
            "subject": audit_words.subject(entry.subject_type),
            "href": audit_words.page_of(entry.subject_type, entry.subject_id),
            "changes": audit_words.changes(entry.before, entry.after, zone),
            "actor_href": _page(entry.actor_id),
            "impersonator_href": _page(entry.impersonator_id),
        }
        for entry in entries
    ]


def _page(user_id: UUID | None) -> str | None:
    return f"/admin/users/{user_id}" if user_id else None


HANDLERS: list[ControllerRouterHandler] = [show]
