"""Where a viewer stands with a mentor: whether they may buy, renew or wait for a seat, or have one kept for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import Viewer
from app.mentors.models import Mentor
from app.packs.models import SeatReservation, SeatStatus, WaitlistEntry

Can = Literal["look", "buy", "renew", "take", "wait", "join"]


class Standing(msgspec.Struct, frozen=True):
    """What the viewer can do about a seat.

    `look`: nothing, they don't buy. `buy`: a seat is open to them. `renew`: they have one. `take`: one is kept for
    them `until` then. `wait`: they wait, at `position`. `join`: all seats are taken, they may wait for one.
    `place_id`: their place on the waitlist, if they have one.
    """

    can: Can
    until: datetime | None = None
    position: int = 0
    place_id: UUID | None = None

    @property
    def may_buy(self) -> bool:
        """True where the checkout would let them in."""
        return self.can in ("buy", "renew", "take")


async def standing(uow: UnitOfWork, viewer: Viewer | None, mentor_id: UUID) -> Standing:
    """Where the viewer, or somebody unknown, stands with the mentor."""
    if viewer is not None and viewer.role is not Role.STUDENT:
        return Standing("look")
    row = (await uow.session.execute(_question(mentor_id, viewer.id if viewer else None))).one()
    if row.status in (SeatStatus.ACTIVE, SeatStatus.GRACE):
        return Standing("renew")
    if row.status is not None:
        return Standing("take", row.offered_until or row.seat_expires_at, place_id=row.place_id)
    if (row.open or 0) > 0:
        return Standing("buy", place_id=row.place_id)
    if row.place_id is not None:
        return Standing("wait", position=row.position, place_id=row.place_id)
    return Standing("join")


def _question(mentor_id: UUID, student_id: UUID | None) -> sa.Select[*tuple[Any, ...]]:
    """One row: the pair's live seat, their place on the waitlist, and the seats open to them."""
    student = sa.literal(student_id, sa.Uuid)
    seat_is_theirs = sa.and_(
        SeatReservation.mentor_id == Mentor.id,
        SeatReservation.student_id == student,
        SeatReservation.status != SeatStatus.RELEASED,
    )
    place_is_theirs = sa.and_(
        WaitlistEntry.mentor_id == Mentor.id,
        WaitlistEntry.student_id == student,
        WaitlistEntry.left_at.is_(None),
    )
    return (
        sa.select(
            SeatReservation.status,
            SeatReservation.seat_expires_at,
            SeatReservation.offered_until,
            WaitlistEntry.id.label("place_id"),
            sa.func.seats_open_to(Mentor.id, student, type_=sa.Integer).label("open"),
            sa.func.waitlist_position(Mentor.id, type_=sa.Integer).label("position"),
        )
        .select_from(Mentor)
        .outerjoin(SeatReservation, seat_is_theirs)
        .outerjoin(WaitlistEntry, place_is_theirs)
        .where(Mentor.id == mentor_id)
    )
