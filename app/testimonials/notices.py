"""Who is told what about testimonials: composed from the ids that an event carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor
from app.notifications.service import Message, outdated
from app.settings import Settings
from app.testimonials import asking
from app.testimonials.models import Testimonial, TestimonialStatus


async def testimonial_asked(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """`{"pack_id", "after": "third" | "last"}`: the student; nobody if the session was undone, or they have written."""
    pack_id = UUID(payload["pack_id"])
    facts = await asking.still_to_ask(uow, pack_id, payload["after"])
    if facts is None:
        return [outdated(await asking.student_of(uow, pack_id))]
    context = {
        "recipient_name": facts.student_name,
        "other_name": facts.mentor_name,
        "after": payload["after"],
        "link": f"{settings.public_url}/testimonials/new?pack_id={pack_id}",
    }
    return [Message(facts.student_id, facts.student_email, context)]


async def testimonial_approved(
    uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]
) -> list[Message]:
    """`{"testimonial_id"}`: its writer; nobody if it was withdrawn, or the decision changed."""
    facts = await _approved(uow, UUID(payload["testimonial_id"]))
    if facts is None:
        return []
    context = {
        "recipient_name": facts.student_name,
        "other_name": facts.mentor_name,
        "link": f"{settings.public_url}/instructors/{facts.slug}#testimonials",
        "own_link": f"{settings.public_url}/testimonials/{facts.id}",
    }
    return [Message(facts.student_id, facts.student_email, context)]


async def _approved(uow: UnitOfWork, testimonial_id: UUID) -> Any:
    mentor, student = aliased(User), aliased(User)
    query = (
        sa.select(
            Testimonial.id,
            student.id.label("student_id"),
            student.name.label("student_name"),
            student.email.label("student_email"),
            mentor.name.label("mentor_name"),
            Mentor.slug,
        )
        .join(Mentor, Mentor.id == Testimonial.mentor_id)
        .join(mentor, mentor.id == Testimonial.mentor_id)
        .join(student, student.id == Testimonial.student_id)
        .where(
            Testimonial.id == testimonial_id,
            Testimonial.status == TestimonialStatus.APPROVED,
            student.deleted_at.is_(None),
            mentor.deleted_at.is_(None),
        )
    )
    return (await uow.session.execute(query)).one_or_none()


NOTICES = {"testimonial_asked": testimonial_asked, "testimonial_approved": testimonial_approved}
