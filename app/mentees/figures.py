"""How a mentor stands over all mentees; the words are those of `app.mentees.relations`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.booking.models import SessionCount
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.mentees.relations import MENTEE_SEATS
from app.mentors.models import Mentor
from app.packs.models import PackEntry, PackStatus, SeatReservation, SeatStatus, SessionPack


class Figures(msgspec.Struct, frozen=True):
    """A mentor's figures. `capacity`: seats there are; `open`: those that nobody sits on, holds or is offered."""

    active_mentees: int = 0
    open: int = 0
    capacity: int = 0
    completed: int = 0


class Credit(msgspec.Struct, frozen=True):
    """Sessions over all mentees of a mentor: `used` and `remaining` as of a relation."""

    used: int
    remaining: int


def seats() -> sa.Subquery:
    """`active_mentees` and `live` seats of each mentor who has any, by `mentor_id`."""
    is_mentees = SeatReservation.status.in_(MENTEE_SEATS)
    return (
        sa.select(
            SeatReservation.mentor_id,
            sa.func.count().filter(is_mentees).label("active_mentees"),
            sa.func.count().label("live"),
        )
        .where(SeatReservation.status != SeatStatus.RELEASED)
        .group_by(SeatReservation.mentor_id)
        .subquery("seats")
    )


async def of_mentors(uow: UnitOfWork, mentor_ids: Sequence[UUID]) -> dict[UUID, Figures]:
    """The figures of these mentors, for themselves, an admin or the service. One query."""
    taken = _seats_of(mentor_ids)
    live = sa.func.coalesce(taken.c.live, 0)
    query = (
        sa.select(
            Mentor.id,
            sa.func.coalesce(taken.c.active_mentees, 0).label("active_mentees"),
            sa.func.greatest(0, Mentor.max_active_students - live).label("open"),
            Mentor.max_active_students.label("capacity"),
            sa.func.coalesce(SessionCount.completed, 0).label("completed"),
        )
        .outerjoin(taken, taken.c.mentor_id == Mentor.id)
        .outerjoin(SessionCount, SessionCount.mentor_id == Mentor.id)
        .where(Mentor.id.in_(mentor_ids))
    )
    return {
        row["id"]: Figures(**{name: row[name] for name in Figures.__struct_fields__})
        for row in (await uow.session.execute(query)).mappings()
    }


def _seats_of(mentor_ids: Sequence[UUID]) -> sa.Subquery:
    every = seats()
    return sa.select(every).where(every.c.mentor_id.in_(mentor_ids)).subquery("taken")


async def of_mentor(uow: UnitOfWork, mentor_id: UUID) -> Figures:
    """The figures of a mentor, zeros for whom there is no profile. One query."""
    return (await of_mentors(uow, [mentor_id])).get(mentor_id, Figures())


async def credit_of_mentor(uow: UnitOfWork, mentor_id: UUID) -> Credit:
    """What all of a mentor's mentees have used, and what is left to them. One query."""
    spendable = sa.and_(SessionPack.status == PackStatus.ACTIVE, SessionPack.expires_at > clock.now())
    left = sa.select(sa.func.coalesce(sa.func.sum(SessionPack.remaining_sessions), 0)).where(
        SessionPack.mentor_id == mentor_id, spendable
    )
    used = (
        sa.select(sa.func.coalesce(-sa.func.sum(PackEntry.delta), 0))
        .join(SessionPack, SessionPack.id == PackEntry.pack_id)
        .where(SessionPack.mentor_id == mentor_id, PackEntry.session_id.is_not(None))
    )
    query = sa.select(used.scalar_subquery().label("used"), left.scalar_subquery().label("remaining"))
    row = (await uow.session.execute(query)).one()
    return Credit(int(row.used), int(row.remaining))
