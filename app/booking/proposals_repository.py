"""The SQL of proposed times: what is open, for whom, and what becomes of it. Instants are aware UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.people import GONE, person
from app.booking.models import MoveProposal, ProposalStatus, Session, SessionStatus
from app.core import clock
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.unit_of_work import UnitOfWork
from app.mentors.models import Mentor

_mentor: Final = person(MoveProposal.mentor_id, "mentor_person")
_student: Final = person(MoveProposal.student_id, "student_person")


class Proposal(msgspec.Struct, frozen=True):
    """Another time that is proposed for a scheduled session: `start` to `end` is when it is now, `proposed_start` to
    `proposed_end` when it could be."""

    id: UUID
    session_id: UUID
    mentor_id: UUID
    student_id: UUID
    start: datetime
    end: datetime
    proposed_start: datetime
    proposed_end: datetime
    created_at: datetime
    mentor_name: str
    mentor_zone: str
    student_name: str


def _open() -> sa.Select[*tuple[Any, ...]]:
    """Proposals that can be answered: open, the session and the proposed time still to come."""
    return (
        sa.select(
            MoveProposal.id,
            MoveProposal.session_id,
            MoveProposal.mentor_id,
            MoveProposal.student_id,
            Session.scheduled_at.label("start"),
            Session.ends_at.label("end"),
            MoveProposal.starts_at.label("proposed_start"),
            (MoveProposal.starts_at + (Session.ends_at - Session.scheduled_at)).label("proposed_end"),
            MoveProposal.created_at,
            sa.func.coalesce(_mentor.c.name, GONE).label("mentor_name"),
            Mentor.time_zone.label("mentor_zone"),
            sa.func.coalesce(_student.c.name, GONE).label("student_name"),
        )
        .join(Session, Session.id == MoveProposal.session_id)
        .join(Mentor, Mentor.id == MoveProposal.mentor_id)
        .outerjoin(_mentor, sa.true())
        .outerjoin(_student, sa.true())
        .where(
            MoveProposal.status == ProposalStatus.OPEN,
            Session.status == SessionStatus.SCHEDULED,
            Session.scheduled_at > clock.now(),
            MoveProposal.starts_at > clock.now(),
        )
        .order_by(Session.scheduled_at, MoveProposal.id)
    )


async def open_where(uow: UnitOfWork, *where: sa.ColumnElement[bool]) -> list[Proposal]:
    """Proposals that can be answered and fulfil the conditions, by the session's start."""
    rows = (await uow.session.execute(_open().where(*where))).all()
    return [Proposal(**row._mapping) for row in rows]


async def open_of(session: AsyncSession, session_id: UUID) -> tuple[UUID, datetime] | None:
    """Id and start of the session's open proposal."""
    query = sa.select(MoveProposal.id, MoveProposal.starts_at).where(
        MoveProposal.session_id == session_id, MoveProposal.status == ProposalStatus.OPEN
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row.id, row.starts_at)


async def answerable(session: AsyncSession, session_id: UUID) -> UUID | None:
    """The session's open proposal, unless the proposed time is over."""
    found = await open_of(session, session_id)
    return found[0] if found and found[1] > clock.now() else None


async def one(session: AsyncSession, session_id: UUID, proposal_id: UUID) -> MoveProposal:
    """A proposal for that session, open or not. Raises NotFound."""
    query = sa.select(MoveProposal).where(
        MoveProposal.id == proposal_id, MoveProposal.session_id == session_id
    )
    found = (await session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


async def open_times(session: AsyncSession, mentor_id: UUID) -> Sequence[tuple[UUID, datetime]]:
    """(session, proposed start) of every open proposal of the mentor's."""
    query = sa.select(MoveProposal.session_id, MoveProposal.starts_at).where(
        MoveProposal.mentor_id == mentor_id, MoveProposal.status == ProposalStatus.OPEN
    )
    return [(row.session_id, row.starts_at) for row in (await session.execute(query)).all()]


async def add(session: AsyncSession, values: Mapping[str, Any], at: datetime) -> UUID:
    """A new open proposal: `session_id`, `mentor_id`, `student_id`, `starts_at`. One open one a session."""
    id_ = new_id()
    await session.execute(
        sa.insert(MoveProposal).values(id=id_, status=ProposalStatus.OPEN, created_at=at, **values)
    )
    return id_


async def decide(session: AsyncSession, session_id: UUID, status: ProposalStatus) -> bool:
    """Close the session's open proposal; False if there is none."""
    done = await session.execute(_closed(session_id, sa.literal(status.value)).returning(MoveProposal.id))
    return done.first() is not None


async def settle(session: AsyncSession, session_id: UUID, now_at: datetime | None) -> None:
    """The session changed, and its open proposal with it: accepted if it is `now_at` the proposed start, else withdrawn."""
    accepted = MoveProposal.starts_at == now_at if now_at is not None else sa.false()
    became = sa.case((accepted, ProposalStatus.ACCEPTED.value), else_=ProposalStatus.WITHDRAWN.value)
    await session.execute(_closed(session_id, became))


def _closed(session_id: UUID, status: sa.ColumnElement[Any]) -> sa.Update:
    return (
        sa.update(MoveProposal)
        .where(MoveProposal.session_id == session_id, MoveProposal.status == ProposalStatus.OPEN)
        .values(status=status, decided_at=clock.now())
        .execution_options(synchronize_session=False)
    )
