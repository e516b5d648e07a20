"""The admin's pages."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from app.admin.http import (
    acts,
    api,
    audit,
    exports,
    instructors,
    invitations,
    jobs,
    onboarding,
    overview,
    packs,
    seats,
    sessions,
    students,
    users,
)

HANDLERS: list[ControllerRouterHandler] = [
    *overview.HANDLERS,
    *onboarding.HANDLERS,
    *exports.HANDLERS,
    *instructors.HANDLERS,
    *api.HANDLERS,
    *jobs.HANDLERS,
    *packs.HANDLERS,
    *seats.HANDLERS,
    *sessions.HANDLERS,
    *students.HANDLERS,
    *users.HANDLERS,
    *acts.HANDLERS,
    *invitations.HANDLERS,
    *audit.HANDLERS,
]
