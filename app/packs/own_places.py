"""A student's own places on waitlists, as pages show them; instants in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.accounts.people import person
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor
from app.packs.models import SeatReservation, SeatStatus, WaitlistEntry

_mentor: Final = person(Mentor.id, "mentor_person")
waits: Final = WaitlistEntry.left_at.is_(None)
seat_of_same_pair: Final = sa.and_(
    SeatReservation.mentor_id == WaitlistEntry.mentor_id,
    SeatReservation.student_id == WaitlistEntry.student_id,
    SeatReservation.status != SeatStatus.RELEASED,
)
kept_until: Final = sa.func.coalesce(SeatReservation.offered_until, SeatReservation.seat_expires_at)


class OwnPlace(msgspec.Struct, frozen=True):
    """A student's place on the waitlist of a mentor; `until`: how long a seat is kept for them, if one is."""

    id: UUID
    name: str
    slug: str
    joined_at: datetime
    position: int
    until: datetime | None


async def own(uow: UnitOfWork, student_id: UUID) -> list[OwnPlace]:
    """The student's places: kept seats first, then the longest wait."""
    query = (
        sa.select(
            WaitlistEntry.id,
            _mentor.c.name,
            Mentor.slug,
            WaitlistEntry.joined_at,
            sa.func.waitlist_position(Mentor.id, type_=sa.Integer).label("position"),
            kept_until.label("until"),
        )
        .join(Mentor, Mentor.id == WaitlistEntry.mentor_id)
        .join(_mentor, sa.true())
        .outerjoin(SeatReservation, seat_of_same_pair)
        .where(WaitlistEntry.student_id == student_id, waits)
        .order_by(kept_until.is_(None), WaitlistEntry.joined_at)
    )
    return [OwnPlace(**row._mapping) for row in (await uow.session.execute(query)).all()]
