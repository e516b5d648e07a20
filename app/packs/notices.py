"""Who is told what about packs: composed from the ids that an event carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.unit_of_work import UnitOfWork
from app.notifications.service import Message
from app.packs import repository
from app.settings import Settings


async def pack_granted(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"pack_id"}`: student and mentor learn of the new pack, each in their own zone."""
    facts = await repository.pack_facts(uow.session, UUID(payload["pack_id"]))
    shared = {"sessions": facts.total_sessions, "expires_at": facts.expires_at}
    student = {
        "recipient_name": facts.student_name,
        "other_name": facts.mentor_name,
        "role": "student",
        "zone": facts.student_zone,
        "link": f"{settings.public_url}/calendar?mentor_id={facts.mentor_id}",
    }
    mentor = {
        "recipient_name": facts.mentor_name,
        "other_name": facts.student_name,
        "role": "mentor",
        "zone": facts.mentor_zone,
        "link": f"{settings.public_url}/instructor/sessions",
    }
    return [
        Message(facts.student_id, facts.student_email, shared | student),
        Message(facts.mentor_id, facts.mentor_email, shared | mentor),
    ]
