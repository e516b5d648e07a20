"""A notification sent once more, by an admin's hand: found anew for a student and an instructor, and recorded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

import sqlalchemy as sa

from app.core import audit, clock
from app.core.errors import Forbidden, NotFound, Refused
from app.core.templating import iso
from app.core.unit_of_work import Role, UnitOfWork
from app.mentees import relations
from app.mentees.relations import Relation
from app.notifications import telling
from app.packs import renewal, repository
from app.packs.models import PackStatus, SeatReservation, SeatStatus, SessionPack
from app.payments.models import Order

Payload: TypeAlias = Mapping[str, Any]
STRANGERS: Final = "The two have nothing to do with each other: neither a pack nor a seat."


class Again(StrEnum):
    """What can be sent again."""

    PACK_PURCHASED = "pack_purchased"
    RENEWAL_REMINDER = "renewal_reminder"
    GRACE_WARNING = "grace_warning"


async def candidates(uow: UnitOfWork, what: Again, student_id: UUID) -> list[Relation]:
    """The student's instructors about whom it can be sent now."""
    found = await relations.of_student(uow, student_id)
    return [one for one in found if await _FIND[what](uow, one) is not None]


async def send_again(
    uow: UnitOfWork, what: Again, mentor_id: UUID, student_id: UUID, *, wish: str
) -> Relation:
    """Have the two told again, within the transaction of the admin that `uow` is bound to; who it is about.

    `wish`: the same one sends once. Whoever turned the kind off isn't told this time either.
    Raises Forbidden, Refused("nothing_to_send").
    """
    if uow.principal.role != Role.ADMIN:
        raise Forbidden
    try:
        pair = await relations.one(uow, mentor_id, student_id)
    except NotFound:
        raise Refused("nothing_to_send", STRANGERS) from None
    found = await _FIND[what](uow, pair)
    if found is None:
        raise Refused(
            "nothing_to_send", _NOTHING[what].format(student=pair.student_name, mentor=pair.mentor_name)
        )
    kind, payload = found
    await telling.tell(uow, kind, payload, again=wish)
    after = {"kind": kind, "mentor_id": str(mentor_id)}
    await audit.record(uow, "send_again", "users", student_id, after=after)
    return pair


async def _pack(uow: UnitOfWork, pair: Relation) -> tuple[str, Payload] | None:
    """The newest pack: its receipt where it was bought."""
    query = (
        sa.select(SessionPack.id, Order.id.label("order_id"))
        .outerjoin(Order, Order.pack_id == SessionPack.id)
        .where(
            SessionPack.mentor_id == pair.mentor_id,
            SessionPack.student_id == pair.student_id,
            SessionPack.status != PackStatus.REFUNDED,
        )
        .order_by(SessionPack.purchased_at.desc(), SessionPack.id.desc())
        .limit(1)
    )
    row = (await uow.session.execute(query)).one_or_none()
    if row is None:
        return None
    if row.order_id is not None:
        return "pack_purchased", {"order_id": row.order_id}
    return "pack_granted", {"pack_id": row.id}


async def _renewal(uow: UnitOfWork, pair: Relation) -> tuple[str, Payload] | None:
    credit = await repository.credit(uow.session, pair.mentor_id, pair.student_id, clock.now())
    if not renewal.is_due(credit):
        return None
    ids = {"mentor_id": pair.mentor_id, "student_id": pair.student_id}
    return "renewal_reminder", {**ids, "total": credit.total}


async def _grace(uow: UnitOfWork, pair: Relation) -> tuple[str, Payload] | None:
    query = sa.select(SeatReservation.id, SeatReservation.seat_expires_at).where(
        SeatReservation.mentor_id == pair.mentor_id,
        SeatReservation.student_id == pair.student_id,
        SeatReservation.status == SeatStatus.GRACE,
        SeatReservation.seat_expires_at > clock.now(),
    )
    row = (await uow.session.execute(query)).one_or_none()
    if row is None:
        return None
    return "grace_warning", {"seat_id": row.id, "anchor_at": iso(row.seat_expires_at)}


_FIND: Final[Mapping[Again, Callable[[UnitOfWork, Relation], Awaitable[tuple[str, Payload] | None]]]] = {
    Again.PACK_PURCHASED: _pack,
    Again.RENEWAL_REMINDER: _renewal,
    Again.GRACE_WARNING: _grace,
}
_NOTHING: Final = {
    Again.PACK_PURCHASED: "{student} has no pack with {mentor}, so there is nothing to send.",
    Again.RENEWAL_REMINDER: "{student} isn’t down to one session with {mentor}, so there is nothing to remind of.",
    Again.GRACE_WARNING: "No seat of {student} with {mentor} is about to be given up, so there is nothing to warn of.",
}
