"""Who is told what about packs: composed from the ids that an event carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.unit_of_work import UnitOfWork
from app.notifications.service import Message
from app.packs import repository
from app.packs.models import SeatStatus
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


async def seat_offered(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"seat_id"}`: who waited longest may buy now, for a day; nobody if the offer is over already."""
    facts = await repository.seat_facts(uow.session, UUID(payload["seat_id"]))
    if facts.status is not SeatStatus.OFFERED:
        return []
    more = {"until": facts.seat_expires_at, "link": f"{settings.public_url}/instructors/{facts.slug}"}
    return [_to_student(facts, more)]


async def offer_lapsed(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"seat_id"}`: the offer went to the next."""
    facts = await repository.seat_facts(uow.session, UUID(payload["seat_id"]))
    return [_to_student(facts, {"link": f"{settings.public_url}/instructors/{facts.slug}"})]


async def seat_released(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"seat_id"}`: the grace ended; student and mentor."""
    facts = await repository.seat_facts(uow.session, UUID(payload["seat_id"]))
    mentor = {
        "recipient_name": facts.mentor_name,
        "other_name": facts.student_name,
        "role": "mentor",
        "zone": facts.mentor_zone,
        "link": f"{settings.public_url}/instructor/waitlist",
    }
    student = _to_student(facts, {"link": f"{settings.public_url}/instructors/{facts.slug}"})
    return [student, Message(facts.mentor_id, facts.mentor_email, mentor)]


async def waitlist_removed(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"entry_id"}`: the instructor, or an admin, took somebody off the list."""
    facts = await repository.waiting_facts(uow.session, UUID(payload["entry_id"]))
    return [_to_student(facts, {"link": f"{settings.public_url}/instructors"})]


def _to_student(facts: Any, more: Mapping[str, Any]) -> Message:
    context = {
        "recipient_name": facts.student_name,
        "other_name": facts.mentor_name,
        "role": "student",
        "zone": facts.student_zone,
    }
    return Message(facts.student_id, facts.student_email, context | dict(more))


NOTICES = {
    "pack_granted": pack_granted,
    "seat_offered": seat_offered,
    "offer_lapsed": offer_lapsed,
    "seat_released": seat_released,
    "waitlist_removed": waitlist_removed,
}
