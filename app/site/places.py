"""What the pages about seats and waitlists read: rows with people's names, instants in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.accounts.people import GONE, person
from app.core.errors import NotFound
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor
from app.packs.models import SeatReservation, SeatStatus, SessionPack, WaitlistEntry
from app.packs.own_places import kept_until, seat_of_same_pair, waits
from app.packs.waitlist import GONE as PLACE_GONE

_waiting: Final = person(WaitlistEntry.student_id, "student_person")
_seated: Final = person(SeatReservation.student_id, "student_person")
_mentor: Final = person(Mentor.id, "mentor_person")


class Place(msgspec.Struct, frozen=True):
    """Somebody's place, as its mentor sees it; `position` counts those who have no offer yet, 0 for who has one."""

    id: UUID
    mentor_id: UUID
    student_name: str
    joined_at: datetime
    position: int
    until: datetime | None


class Seat(msgspec.Struct, frozen=True):
    """A live seat; `ends_at`: when it ends by itself, or the student's last pack does."""

    student_name: str
    status: SeatStatus
    since: datetime
    ends_at: datetime | None
    pack_id: UUID | None
    remaining: int | None
    total: int | None


class Waitlist(msgspec.Struct, frozen=True):
    """A mentor with somebody waiting, and how many seats are in use."""

    mentor_id: UUID
    name: str
    slug: str
    capacity: int
    used: int


def _places() -> sa.Select[*tuple[Any, ...]]:
    has_no_offer = WaitlistEntry.offered_at.is_(None)
    in_line = sa.func.count().filter(has_no_offer)
    order = (WaitlistEntry.joined_at, WaitlistEntry.id)
    position = in_line.over(partition_by=WaitlistEntry.mentor_id, order_by=order)
    return (
        sa.select(
            WaitlistEntry.id,
            WaitlistEntry.mentor_id,
            sa.func.coalesce(_waiting.c.name, GONE).label("student_name"),
            WaitlistEntry.joined_at,
            sa.case((has_no_offer, position), else_=0).label("position"),
            kept_until.label("until"),
        )
        .select_from(WaitlistEntry)
        .outerjoin(_waiting, sa.true())
        .outerjoin(SeatReservation, seat_of_same_pair)
        .where(waits)
        .order_by(has_no_offer, *order)
    )


async def waiting(uow: UnitOfWork, mentor_ids: Sequence[UUID]) -> dict[UUID, list[Place]]:
    """Who waits for a seat of each mentor: those with an offer first, then in order."""
    query = _places().where(WaitlistEntry.mentor_id.in_(mentor_ids))
    found: dict[UUID, list[Place]] = {mentor_id: [] for mentor_id in mentor_ids}
    for row in (await uow.session.execute(query)).all():
        found[row.mentor_id].append(Place(**row._mapping))
    return found


async def one(uow: UnitOfWork, place_id: UUID) -> Place:
    """A place that is still waited on and that the asker may see. Raises NotFound."""
    row = (await uow.session.execute(_places().where(WaitlistEntry.id == place_id))).one_or_none()
    if row is None:
        raise NotFound(PLACE_GONE)
    return Place(**row._mapping)


async def seats(uow: UnitOfWork, mentor_id: UUID) -> list[Seat]:
    """The mentor's live seats, the oldest first, each with the pack that its student bought last."""
    last = (
        sa.select(
            SessionPack.id, SessionPack.remaining_sessions, SessionPack.total_sessions, SessionPack.expires_at
        )
        .where(
            SessionPack.mentor_id == SeatReservation.mentor_id,
            SessionPack.student_id == SeatReservation.student_id,
        )
        .order_by(SessionPack.purchased_at.desc(), SessionPack.id.desc())
        .limit(1)
        .lateral("last")
    )
    query = (
        sa.select(
            sa.func.coalesce(_seated.c.name, GONE).label("student_name"),
            SeatReservation.status,
            SeatReservation.created_at.label("since"),
            sa.func.coalesce(SeatReservation.seat_expires_at, last.c.expires_at).label("ends_at"),
            last.c.id.label("pack_id"),
            last.c.remaining_sessions.label("remaining"),
            last.c.total_sessions.label("total"),
        )
        .select_from(SeatReservation)
        .outerjoin(_seated, sa.true())
        .outerjoin(last, sa.true())
        .where(SeatReservation.mentor_id == mentor_id, SeatReservation.status != SeatStatus.RELEASED)
        .order_by(SeatReservation.created_at, SeatReservation.id)
    )
    return [Seat(**row._mapping) for row in (await uow.session.execute(query)).all()]


def _waitlists() -> sa.Select[*tuple[Any, ...]]:
    query = sa.select(
        Mentor.id.label("mentor_id"),
        _mentor.c.name,
        Mentor.slug,
        Mentor.max_active_students.label("capacity"),
        sa.func.seats_in_use(Mentor.id, type_=sa.Integer).label("used"),
    )
    return query.select_from(Mentor).join(_mentor, sa.true())


async def waitlist_of(uow: UnitOfWork, mentor_id: UUID) -> Waitlist:
    """The mentor with their seats, whether somebody waits or not. Raises NotFound."""
    row = (await uow.session.execute(_waitlists().where(Mentor.id == mentor_id))).one_or_none()
    if row is None:
        raise NotFound
    return Waitlist(**row._mapping)


async def waitlists(uow: UnitOfWork, words: str, *, limit: int, offset: int) -> list[Waitlist]:
    """Mentors by name for whose seats somebody waits, those whose name holds `words`."""
    somebody = sa.exists().where(WaitlistEntry.mentor_id == Mentor.id, waits)
    query = _waitlists().where(somebody).order_by(_mentor.c.name, Mentor.id).limit(limit).offset(offset)
    if words:
        query = query.where(_mentor.c.name.icontains(words, autoescape=True))
    return [Waitlist(**row._mapping) for row in (await uow.session.execute(query)).all()]
