"""What students are told of their dashboard: that getting started isn't finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.accounts import repository, student_profile
from app.core.unit_of_work import Role, UnitOfWork
from app.dashboards import student_checklist
from app.notifications.service import Message, SkipReason
from app.settings import Settings


async def getting_started(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """The student with steps left, unless they put them aside. Service unit of work.

    Context: see templates/mail/getting_started_day.
    """
    user = await repository.user_by_id(uow.session, UUID(payload["user_id"]))
    if user is None:
        return []
    profile = await student_profile.read(uow, user.id)
    left = student_checklist.steps_left(profile, settings)
    asks = user.role is Role.STUDENT and user.deleted_at is None and left
    context = {
        "recipient_name": user.name,
        "steps": left,
        "link": settings.public_url.rstrip("/") + "/dashboard",
    }
    return [Message(user.id, user.email, context, skip=None if asks else SkipReason.OUTDATED)]
