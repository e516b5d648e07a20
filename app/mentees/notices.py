"""Who is told what about mentees: composed from the ids that an event carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.accounts.models import User
from app.core.errors import NotFound
from app.core.unit_of_work import UnitOfWork
from app.mentees import relations, renewals
from app.notifications.service import Message, outdated
from app.settings import Settings


async def renewal_asked(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"mentor_id", "student_id"}`: the student is asked; nobody if it isn't time to renew any more, or they left."""
    student_id = UUID(payload["student_id"])
    try:
        relation = await relations.one(uow, UUID(payload["mentor_id"]), student_id)
    except NotFound:
        return [outdated(student_id)]
    query = sa.select(User.time_zone).where(User.id == student_id, User.deleted_at.is_(None))
    zone = (await uow.session.execute(query)).scalar_one_or_none()
    if zone is None or relation.student_email is None or not renewals.can_ask(relation):
        return [outdated(student_id)]
    context = {
        "recipient_name": relation.student_name,
        "other_name": relation.mentor_name,
        "role": "student",
        "zone": zone,
        "remaining": relation.remaining,
        "pack_expires_at": relation.pack_expires_at if relation.remaining else None,
        "seat_expires_at": relation.seat_expires_at,
        "link": f"{settings.public_url}/instructors/{relation.mentor_slug}#packs",
    }
    return [Message(student_id, relation.student_email, context)]


NOTICES = {"renewal_asked": renewal_asked}
