"""Who is told what about disputes: composed from the ids that an event carries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

from app.booking.told import Person, Told, present, told_of
from app.core.unit_of_work import UnitOfWork
from app.disputes import service
from app.disputes.repository import Disputed, State
from app.notifications.service import Message, outdated
from app.payments import sales
from app.settings import Settings

Payload: TypeAlias = Mapping[str, Any]
Notice: TypeAlias = Callable[[UnitOfWork, Settings, Payload], Awaitable[list[Message]]]


async def session_disputed(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """`{"dispute_id"}`: the mentor and every admin, while there is something to decide."""
    found = await service.one(uow, UUID(payload["dispute_id"]))
    told = await told_of(uow, found.session_id)
    admins = await sales.admins(uow.session)
    if not found.is_open:
        return [
            outdated(id_)
            for id_ in (*(person.id for person in present(told.mentor)), *(one.id for one in admins))
        ]
    home = settings.public_url.rstrip("/")
    messages = [
        _to(person, told, found, f"{home}/sessions/{told.id}/dispute", {"reason": found.reason})
        for person in present(told.mentor)
    ]
    for admin in admins:
        context = {
            "recipient_name": admin.name,
            "role": "admin",
            "zone": told.mentor.zone,
            "other_name": told.student.name,
            "mentor_name": told.mentor.name,
            "start": told.start,
            "end": told.end,
            "marked": found.marked.value,
            "reason": found.reason,
            "link": f"{home}/admin/disputes",
        }
        messages.append(Message(admin.id, admin.email, context))
    return messages


async def dispute_decided(uow: UnitOfWork, settings: Settings, payload: Payload) -> list[Message]:
    """`{"dispute_id"}`: the student and the mentor."""
    found = await service.one(uow, UUID(payload["dispute_id"]))
    told = await told_of(uow, found.session_id)
    by = "mentor" if found.decided_by == found.mentor_id else "admin"
    link = f"{settings.public_url.rstrip('/')}/sessions/{told.id}"
    more = {"upheld": found.state is State.UPHELD, "by": by, "answer": found.answer}
    return [_to(person, told, found, link, more) for person in told.both]


def _to(person: Person, told: Told, found: Disputed, link: str, more: Mapping[str, Any]) -> Message:
    context = {
        "recipient_name": person.name,
        "role": person.role.value,
        "other_name": told.other(person).name,
        "start": told.start,
        "end": told.end,
        "zone": person.zone,
        "marked": found.marked.value,
        "link": link,
    }
    return Message(person.id, person.email, context | dict(more))


NOTICES: Final[dict[str, Notice]] = {
    "session_disputed": session_disputed,
    "dispute_decided": dispute_decided,
}
