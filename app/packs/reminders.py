"""Who is told that it is time to renew, that the seat is about to go, or that sessions expire: checked when it is sent.

What isn't so any more is recorded as outdated. What comes by time alone is composed by its anchor, whatever its kind:
the catalogue says to whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import Anchor
from app.notifications.service import Message, SkipReason
from app.packs import recipients, renewal, repository, seats
from app.packs.models import PackStatus, SeatStatus
from app.settings import Settings


async def renewal_reminder(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"mentor_id", "student_id", "total"}`: the student, if one session still is left and the seat is theirs.

    If not, the two may come to one session left once more, and are told then: until this is recorded nobody changes
    their packs.
    """
    mentor_id, student_id = UUID(payload["mentor_id"]), UUID(payload["student_id"])
    seat = (await seats.lock_pair(uow, mentor_id, student_id)).seat
    credit = await repository.credit(uow.session, mentor_id, student_id, clock.now())
    due = seat is not None and renewal.is_due(credit)
    if not due:
        await telling.allow_again(uow, payload)
    facts = await recipients.of_pair(uow.session, mentor_id, student_id)
    shared = {"remaining": credit.left, "expires_at": credit.expires_at}
    return _told(settings, facts, payload, shared, due=due)


async def final_renewal_notice(
    uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]
) -> list[Message]:
    """`{"seat_id", "until"}`: both, as long as the seat is in the grace that ends then."""
    return await _of_grace(uow, settings, payload, payload["until"])


async def grace(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"seat_id", "anchor_at"}`: of a grace that ends at `anchor_at`, and hasn't been ended by then."""
    return await _of_grace(uow, settings, payload, payload["anchor_at"])


async def _of_grace(
    uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any], until: str
) -> list[Message]:
    facts = await recipients.of_seat(uow.session, UUID(payload["seat_id"]))
    due = facts.status is SeatStatus.GRACE and iso(facts.seat_expires_at) == until
    return _told(settings, facts, payload, {"until": datetime.fromisoformat(until)}, due=due)


async def pack(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"pack_id", "anchor_at"}`: of a pack that expires at `anchor_at` with sessions left that can be used."""
    facts = await recipients.of_pack(uow.session, UUID(payload["pack_id"]))
    due = (
        iso(facts.expires_at) == payload["anchor_at"]
        and facts.status is PackStatus.ACTIVE
        and facts.remaining_sessions > 0
        and not facts.frozen
    )
    shared = {
        "remaining": facts.remaining_sessions,
        "booked": facts.scheduled_sessions,
        "expires_at": facts.expires_at,
    }
    return _told(settings, facts, payload, shared, due=due)


async def pack_expired(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"pack_id", "expires_at", "sessions", "seat"}`: so many expired, and what became of the seat; both."""
    facts = await recipients.of_pack(uow.session, UUID(payload["pack_id"]))
    due = facts.status is PackStatus.EXPIRED and iso(facts.expires_at) == payload["expires_at"]
    shared = {
        "sessions": payload["sessions"],
        "expires_at": facts.expires_at,
        "seat": payload["seat"],
    }
    return _told(settings, facts, payload, shared, due=due)


def _told(
    settings: Settings, facts: Any, payload: Mapping[str, Any], shared: Mapping[str, Any], *, due: bool
) -> list[Message]:
    """A message to each of the two whom the kind is for, the student to the packs on sale, the mentor to the student."""
    student = {
        "recipient_name": facts.student_name,
        "other_name": facts.mentor_name,
        "role": "student",
        "zone": facts.student_zone,
        "link": f"{settings.public_url}/instructors/{facts.slug}",
        "calendar_link": f"{settings.public_url}/calendar?mentor_id={facts.mentor_id}",
    }
    mentor = {
        "recipient_name": facts.mentor_name,
        "other_name": facts.student_name,
        "role": "mentor",
        "zone": facts.mentor_zone,
        "link": f"{settings.public_url}/instructor/students/{facts.student_id}",
    }
    messages = [
        Message(facts.student_id, facts.student_email, {**shared, **student}),
        Message(facts.mentor_id, facts.mentor_email, {**shared, **mentor}),
    ]
    skip = None if due else SkipReason.OUTDATED
    to = CATALOGUE[payload["kind"]].to
    return [replace(message, skip=skip) for message in messages if message.context["role"] in to]


NOTICES = {
    "renewal_reminder": renewal_reminder,
    "final_renewal_notice": final_renewal_notice,
    "pack_expired": pack_expired,
}
ANCHORED = {Anchor.PACK: pack, Anchor.GRACE: grace}
