"""`/packs/{id}`: every credit of a pack, for its student, its mentor and admins; made to be printed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.guards import requires_user
from app.accounts.people import GONE, person
from app.booking.models import Session
from app.core.errors import NotFound
from app.core.ids import parse_id
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Viewer, page
from app.mentors.models import Mentor, Product
from app.packs.models import EntryKind, PackEntry, SessionPack
from app.payments.models import Order

# What each line of the ledger means; those about a session are followed by when it was.
WORDS: Final = {
    EntryKind.PURCHASE: "Bought",
    EntryKind.GRANT: "Given by the studio",
    EntryKind.COMPLETE: "Session held",
    EntryKind.NO_SHOW: "Missed session",
    EntryKind.LATE_CANCEL: "Canceled less than 24 hours before the start",
    EntryKind.REVERSAL: "Given back",
    EntryKind.ADJUST: "Changed by the studio",
    EntryKind.REFUND: "Refunded",
    EntryKind.EXPIRE: "Expired unused",
}
_BACK: Final = {
    Role.STUDENT: {"href": "/sessions", "label": "Sessions"},
    Role.MENTOR: {"href": "/instructor/waitlist", "label": "Seats"},
    Role.ADMIN: {"href": "/instructors", "label": "Instructors"},
}
_mentor: Final = person(SessionPack.mentor_id, "mentor_person")
_student: Final = person(SessionPack.student_id, "student_person")


@get("/packs/{pack_id:str}", include_in_schema=False, guards=[requires_user])
async def statement(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    pack_id: FromPath[str],
) -> Response[str]:
    """What became of each session of a pack."""
    pack = await _pack(uow, parse_id(pack_id))
    return page(
        request,
        "packs/statement.html",
        pack=pack,
        entries=lines(await _entries(uow, pack.id)),
        zone=viewer.time_zone,
        back=_BACK[viewer.role],
    )


def lines(entries: Iterable[Any]) -> list[dict[str, Any]]:
    """Ledger rows (at, kind, delta, reason, session_id, start), the oldest first, in words and with the balance."""
    rows = list(entries)
    return [
        {
            "at": row.at,
            "text": WORDS[row.kind],
            "reason": row.reason,
            "session_id": row.session_id,
            "start": row.start,
            "delta": row.delta,
            "balance": balance,
        }
        for row, balance in zip(rows, accumulate(row.delta for row in rows), strict=True)
    ]


async def _pack(uow: UnitOfWork, pack_id: UUID) -> Any:
    """The pack with its two people and its order. Raises NotFound for others: row-level security decides."""
    query = (
        sa.select(
            SessionPack.id,
            SessionPack.mentor_id,
            SessionPack.status,
            SessionPack.frozen,
            SessionPack.total_sessions,
            SessionPack.remaining_sessions,
            SessionPack.scheduled_sessions,
            SessionPack.purchased_at,
            SessionPack.expires_at,
            sa.func.coalesce(Order.title, Product.title).label("title"),
            Order.id.label("order_id"),
            Mentor.slug,
            sa.func.coalesce(_mentor.c.name, GONE).label("mentor_name"),
            sa.func.coalesce(_student.c.name, GONE).label("student_name"),
        )
        .join(Mentor, Mentor.id == SessionPack.mentor_id)
        .outerjoin(_mentor, sa.true())
        .outerjoin(_student, sa.true())
        .outerjoin(Product, Product.id == SessionPack.product_id)
        .outerjoin(Order, Order.pack_id == SessionPack.id)
        .where(SessionPack.id == pack_id)
    )
    pack = (await uow.session.execute(query)).one_or_none()
    if pack is None:
        raise NotFound
    return pack


async def _entries(uow: UnitOfWork, pack_id: UUID) -> Iterable[Any]:
    query = (
        sa.select(
            PackEntry.at,
            PackEntry.kind,
            PackEntry.delta,
            PackEntry.reason,
            PackEntry.session_id,
            Session.scheduled_at.label("start"),
        )
        .outerjoin(Session, Session.id == PackEntry.session_id)
        .where(PackEntry.pack_id == pack_id)
        .order_by(PackEntry.at, PackEntry.id)
    )
    return (await uow.session.execute(query)).all()


HANDLERS = [statement]
