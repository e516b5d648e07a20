"""A mentor asks a mentee to renew: once a day at most, by the mentor's own calendar."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from whenever import Instant

from app.core import clock
from app.core.errors import NotFound, Refused
from app.core.unit_of_work import UnitOfWork
from app.mentees import relations
from app.mentees.models import RenewalRequest
from app.mentees.relations import MENTEE_SEATS, Relation
from app.mentors import repository as mentors
from app.mentors.service import today
from app.notifications import telling


def can_ask(relation: Relation) -> bool:
    """True if it is time to ask: one session is left, or none and the seat is kept for a while."""
    return relation.low and relation.seat_status in MENTEE_SEATS


async def ask(uow: UnitOfWork, student_id: UUID) -> bool:
    """Ask a student of the mentor that `uow` is bound to, by mail; False if that was done today already.

    Raises NotFound for who is no mentee, Refused: `seat_not_active` where there is no seat to keep, `not_low` where
    there are sessions left. Of two that ask at once the primary key lets one through.
    """
    mentor_id = _mentor_id(uow)
    _demand(await relations.one(uow, mentor_id, student_id))
    zone = await zone_of(uow, mentor_id)
    if student_id in await asked_today(uow, mentor_id, zone):
        return False
    day = today(zone)
    request = insert(RenewalRequest).values(
        mentor_id=mentor_id, student_id=student_id, day=day, asked_at=clock.now()
    )
    written = request.on_conflict_do_nothing().returning(RenewalRequest.day)
    if (await uow.session.execute(written)).scalar_one_or_none() is None:
        return False
    payload = {"mentor_id": mentor_id, "student_id": student_id, "day": day}
    await telling.tell(uow, "renewal_asked", payload)
    return True


async def asked_today(uow: UnitOfWork, mentor_id: UUID, zone: str) -> set[UUID]:
    """Whom the mentor has asked since the day began in their zone, in whichever zone they were then."""
    began = Instant(clock.now()).to_tz(zone).start_of("day").to_instant().to_stdlib()
    query = sa.select(RenewalRequest.student_id)
    query = query.where(RenewalRequest.mentor_id == mentor_id, RenewalRequest.asked_at >= began)
    return set((await uow.session.execute(query)).scalars())


async def zone_of(uow: UnitOfWork, mentor_id: UUID) -> str:
    """Where the mentor teaches. Raises NotFound for somebody who is no mentor."""
    mentor = await mentors.by_id(uow, mentor_id)
    if mentor is None:
        raise NotFound
    return mentor.time_zone


def _demand(relation: Relation) -> None:
    if can_ask(relation):
        return
    name = relation.student_name
    if relation.seat_status not in MENTEE_SEATS:
        raise Refused(
            "seat_not_active", f"{name} no longer has a seat with you, so there is nothing to renew."
        )
    many = f"{relation.remaining} sessions" if relation.remaining != 1 else "a session"
    raise Refused("not_low", f"{name} has {many} left: there is nothing to ask for yet.")


def _mentor_id(uow: UnitOfWork) -> UUID:
    mentor_id = uow.principal.user_id
    if mentor_id is None:
        raise NotFound
    return mentor_id
