"""Who is told what about calendars: composed from the ids that an event carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.calendars import repository
from app.core.unit_of_work import UnitOfWork
from app.notifications.service import Message, outdated
from app.settings import Settings


async def calendar_revoked(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"mentor_id"}`: the mentor has to connect Google again; nobody is told once they have."""
    mentor = await repository.revoked_mentor(uow, UUID(payload["mentor_id"]))
    if mentor is None:
        return [outdated(UUID(payload["mentor_id"]))]
    context = {"recipient_name": mentor.name, "link": f"{settings.public_url}/instructor/settings"}
    return [Message(mentor.id, mentor.email, context)]


NOTICES = {"calendar_revoked": calendar_revoked}
