"""Who is told what about packs: composed from the ids that an event carries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.notifications.service import Message, outdated
from app.packs import recipients, repository
from app.packs.models import SeatStatus
from app.settings import Settings


async def pack_granted(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"pack_id"}`: student and mentor learn of the new pack, each in their own zone."""
    facts = await recipients.of_pack(uow.session, UUID(payload["pack_id"]))
    return _of_pack(settings, facts, {"sessions": facts.total_sessions, "expires_at": facts.expires_at})


async def pack_adjusted(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"pack_id", "entry_id"}`: sessions were added or removed; `{"pack_id", "before"}`: the expiry moved."""
    facts = await recipients.of_pack(uow.session, UUID(payload["pack_id"]))
    shared = {"remaining": facts.remaining_sessions, "expires_at": facts.expires_at}
    if "entry_id" in payload:
        entry = await repository.entry(uow.session, UUID(payload["entry_id"]))
        return _of_pack(settings, facts, shared | {"delta": entry.delta, "reason": entry.reason})
    return _of_pack(settings, facts, shared | {"before": datetime.fromisoformat(payload["before"])})


def _of_pack(settings: Settings, facts: Any, shared: Mapping[str, Any]) -> list[Message]:
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
        Message(facts.student_id, facts.student_email, {**shared, **student}),
        Message(facts.mentor_id, facts.mentor_email, {**shared, **mentor}),
    ]


async def packs_onboarded(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"student_id", "pack_ids"}`: a student's sessions from before are here; one mail about all of them."""
    found = await recipients.of_packs(uow.session, [UUID(id_) for id_ in payload["pack_ids"]])
    if not found:
        return []
    student = found[0]
    packs = [
        {
            "mentor_name": pack.mentor_name,
            "remaining": pack.remaining_sessions,
            "expires_at": pack.expires_at,
            "mentor_zone": pack.mentor_zone,
        }
        for pack in found
    ]
    context = {
        "recipient_name": student.student_name,
        "packs": packs,
        "zone": student.student_zone,
        "link": f"{settings.public_url}/calendar",
    }
    return [Message(student.student_id, student.student_email, context)]


async def mentees_onboarded(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"mentor_id", "mentees"}`: so many mentees from before have a seat now; one mail about all of them."""
    mentor = await recipients.mentor(uow.session, UUID(payload["mentor_id"]))
    context = {
        "recipient_name": mentor.name,
        "mentees": payload["mentees"],
        "link": f"{settings.public_url}/instructor/students",
    }
    return [Message(mentor.id, mentor.email, context)]


async def seat_offered(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"seat_id"}`: who waited longest may buy now, for a day, unless the offer is over already."""
    facts = await recipients.of_seat(uow.session, UUID(payload["seat_id"]))
    if facts.status is not SeatStatus.OFFERED:
        return [outdated(facts.student_id)]
    more = {"until": facts.seat_expires_at, "link": f"{settings.public_url}/instructors/{facts.slug}"}
    return [_to_student(facts, more)]


async def offer_lapsed(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"seat_id"}`: the offer went to the next."""
    facts = await recipients.of_seat(uow.session, UUID(payload["seat_id"]))
    return [_to_student(facts, {"link": f"{settings.public_url}/instructors/{facts.slug}"})]


async def seat_released(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"seat_id"}`: the grace ended; student and mentor."""
    facts = await recipients.of_seat(uow.session, UUID(payload["seat_id"]))
    return _to_both(settings, facts, {})


async def seat_granted(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"seat_id"}`: an admin gave the student a seat; both."""
    facts = await recipients.of_seat(uow.session, UUID(payload["seat_id"]))
    return _to_both(settings, facts, {"left": await _left(uow, facts)})


async def seat_taken(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"seat_id"}`: an admin released the student's seat; both."""
    facts = await recipients.of_seat(uow.session, UUID(payload["seat_id"]))
    return _to_both(settings, facts, {"left": await _left(uow, facts)})


async def waitlist_removed(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"entry_id"}`: the instructor, or an admin, took somebody off the list."""
    facts = await recipients.of_place(uow.session, UUID(payload["entry_id"]))
    return [_to_student(facts, {"link": f"{settings.public_url}/instructors"})]


async def _left(uow: UnitOfWork, facts: Any) -> int:
    return (await repository.credit(uow.session, facts.mentor_id, facts.student_id, clock.now())).left


def _to_both(settings: Settings, facts: Any, shared: Mapping[str, Any]) -> list[Message]:
    """About a seat: the student sees the mentor's profile, the mentor the seats."""
    mentor = {
        "recipient_name": facts.mentor_name,
        "other_name": facts.student_name,
        "role": "mentor",
        "zone": facts.mentor_zone,
        "link": f"{settings.public_url}/instructor/waitlist",
    }
    student = _to_student(facts, {**shared, "link": f"{settings.public_url}/instructors/{facts.slug}"})
    return [student, Message(facts.mentor_id, facts.mentor_email, {**shared, **mentor})]


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
    "pack_adjusted": pack_adjusted,
    "packs_onboarded": packs_onboarded,
    "mentees_onboarded": mentees_onboarded,
    "seat_offered": seat_offered,
    "offer_lapsed": offer_lapsed,
    "seat_released": seat_released,
    "seat_granted": seat_granted,
    "seat_taken": seat_taken,
    "waitlist_removed": waitlist_removed,
}
