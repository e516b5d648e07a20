"""SQL of disputes. One of a session that was marked anew since is settled by that, whatever its row says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.people import GONE, person
from app.booking.models import Session, SessionStatus
from app.core.ids import new_id
from app.disputes.models import Dispute, DisputeStatus, Marked
from app.packs.models import PackStatus, SessionPack

_mentor: Final = person(Dispute.mentor_id, "mentor_person")
_student: Final = person(Dispute.student_id, "student_person")
_AS_MARKED: Final = sa.and_(
    Session.version == Dispute.version, Session.status == sa.cast(Dispute.marked, sa.Text)
)


class State(StrEnum):
    """How a dispute stands: its status, and where an open one has nothing left to decide, `settled`."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SETTLED = "settled"


class Disputed(msgspec.Struct, frozen=True):
    """A dispute with its session as it is now, and the names of its two people."""

    id: UUID
    session_id: UUID
    mentor_id: UUID
    student_id: UUID
    version: int
    marked: Marked
    reason: str
    state: State
    opened_at: datetime
    decided_at: datetime | None
    decided_by: UUID | None
    answer: str
    start: datetime
    end: datetime
    status: SessionStatus
    is_refunded: bool
    pack_id: UUID
    mentor_name: str
    student_name: str

    @property
    def is_open(self) -> bool:
        """True while somebody has to decide."""
        return self.state is State.OPEN


def is_open() -> sa.ColumnElement[bool]:
    """The condition on (dispute, its session) that somebody has to decide."""
    return sa.and_(Dispute.status == DisputeStatus.OPEN, _AS_MARKED)


def _state() -> sa.ColumnElement[Any]:
    settled = sa.and_(Dispute.status == DisputeStatus.OPEN, sa.not_(_AS_MARKED))
    return sa.case((settled, State.SETTLED.value), else_=sa.cast(Dispute.status, sa.Text))


def _disputed() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Dispute.id,
            Dispute.session_id,
            Dispute.mentor_id,
            Dispute.student_id,
            Dispute.version,
            Dispute.marked,
            Dispute.reason,
            _state().label("state"),
            Dispute.opened_at,
            Dispute.decided_at,
            Dispute.decided_by,
            Dispute.answer,
            Session.scheduled_at.label("start"),
            Session.ends_at.label("end"),
            Session.status,
            (SessionPack.status == PackStatus.REFUNDED).label("is_refunded"),
            Session.pack_id,
            sa.func.coalesce(_mentor.c.name, GONE).label("mentor_name"),
            sa.func.coalesce(_student.c.name, GONE).label("student_name"),
        )
        .join(Session, Session.id == Dispute.session_id)
        .join(SessionPack, SessionPack.id == Session.pack_id)
        .outerjoin(_mentor, sa.true())
        .outerjoin(_student, sa.true())
    )


def _read(row: sa.Row[*tuple[Any, ...]]) -> Disputed:
    return Disputed(**{**row._mapping, "state": State(row.state)})


async def one(session: AsyncSession, *where: sa.ColumnElement[bool]) -> Disputed | None:
    """The latest dispute that the asker may see and that fulfils the conditions."""
    query = _disputed().where(*where).order_by(Dispute.version.desc()).limit(1)
    row = (await session.execute(query)).one_or_none()
    return _read(row) if row else None


async def listed(
    session: AsyncSession, state: State | None, *, limit: int, offset: int
) -> tuple[list[Disputed], int]:
    """Those in `state`, or all, open ones first, of these the oldest first, then the latest; and how many there are."""
    where = sa.true() if state is None else _state() == state.value
    counting = (
        sa.select(sa.func.count(Dispute.id)).join(Session, Session.id == Dispute.session_id).where(where)
    )
    total = (await session.execute(counting)).scalar_one()
    opened = sa.func.extract("epoch", Dispute.opened_at)
    order = sa.not_(is_open()), sa.case((is_open(), opened), else_=-opened), Dispute.id
    rows = await session.execute(_disputed().where(where).order_by(*order).limit(limit).offset(offset))
    return [_read(row) for row in rows], total


async def waiting(session: AsyncSession) -> int:
    """How many wait for a decision, of those that the asker may see."""
    query = (
        sa.select(sa.func.count(Dispute.id)).join(Session, Session.id == Dispute.session_id).where(is_open())
    )
    return (await session.execute(query)).scalar_one()


def open_of_mentor(mentor_id: UUID) -> sa.ScalarSelect[Any]:
    """For a query about a mentor: the sessions whose mark is disputed, the oldest dispute first, as an array."""
    query = (
        sa.select(sa.func.array_agg(aggregate_order_by(Dispute.session_id, Dispute.opened_at)))
        .join(Session, Session.id == Dispute.session_id)
        .where(Dispute.mentor_id == mentor_id, is_open())
    )
    return query.scalar_subquery()


async def add(session: AsyncSession, values: Mapping[str, Any]) -> UUID:
    """A new open dispute's id; one a session and version."""
    id_ = new_id()
    await session.execute(sa.insert(Dispute).values(id=id_, status=DisputeStatus.OPEN, **values))
    return id_


async def decide(session: AsyncSession, dispute_id: UUID, values: Mapping[str, Any]) -> bool:
    """Close an open dispute; False if somebody has done so."""
    query = (
        sa.update(Dispute)
        .where(Dispute.id == dispute_id, Dispute.status == DisputeStatus.OPEN)
        .values(**values)
        .returning(Dispute.id)
    )
    done = await session.execute(query.execution_options(synchronize_session=False))
    return done.scalar_one_or_none() is not None
