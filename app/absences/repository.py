"""The SQL of absences: who is away when, and what a plan stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.absences.models import Absence
from app.absences.plan import Concerned
from app.absences.rules import Days
from app.accounts.people import GONE, person
from app.booking.models import MoveProposal, ProposalStatus, Session, SessionStatus
from app.booking.situation import OwnSession, PackView, SeatView
from app.core.errors import NotFound
from app.packs.models import PackStatus, SeatReservation, SeatStatus, SessionPack

_student: Final = person(Session.student_id, "student_person")


async def of_mentor(session: AsyncSession, mentor_id: UUID) -> Sequence[Absence]:
    """The mentor's absences, also those taken back, the latest first."""
    query = sa.select(Absence).where(Absence.mentor_id == mentor_id)
    return (await session.execute(query.order_by(Absence.first_day.desc(), Absence.id))).scalars().all()


async def find(session: AsyncSession, mentor_id: UUID, absence_id: UUID, *, lock: bool = False) -> Absence:
    """One of the mentor's absences. Raises NotFound."""
    query = sa.select(Absence).where(Absence.id == absence_id, Absence.mentor_id == mentor_id)
    query = query.execution_options(populate_existing=True)
    found = (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


async def overlapping(session: AsyncSession, mentor_id: UUID, days: Days) -> Absence | None:
    """A live absence of the mentor's that shares a day with these."""
    query = sa.select(Absence).where(
        Absence.mentor_id == mentor_id,
        Absence.ended_at.is_(None),
        Absence.first_day <= days.last,
        Absence.last_day >= days.first,
    )
    return (await session.execute(query.order_by(Absence.first_day).limit(1))).scalar_one_or_none()


async def given(session: AsyncSession, mentor_id: UUID, days: Days) -> list[tuple[Days, int]]:
    """Absences of the mentor's on some of these days that were taken back and had made packs longer; when they did."""
    query = sa.select(Absence.first_day, Absence.last_day, Absence.created_at).where(
        Absence.mentor_id == mentor_id,
        Absence.ended_at.is_not(None),
        Absence.days_added > 0,
        Absence.first_day <= days.last,
        Absence.last_day >= days.first,
    )
    return [
        (Days(row.first_day, row.last_day), _seconds(row.created_at))
        for row in (await session.execute(query)).all()
    ]


async def add(session: AsyncSession, values: dict[str, Any]) -> None:
    """A new absence; its days must not overlap another's."""
    await session.execute(sa.insert(Absence).values(**values))


async def end(session: AsyncSession, absence_id: UUID, at: datetime) -> None:
    """Take an absence back."""
    await session.execute(sa.update(Absence).where(Absence.id == absence_id).values(ended_at=at))


async def sessions_between(
    session: AsyncSession, mentor_id: UUID, since: datetime, until: datetime, *, lock: bool = False
) -> list[Concerned]:
    """The mentor's scheduled sessions that share a moment with [since, until), by start, and what is proposed for them."""
    where = (
        Session.mentor_id == mentor_id,
        Session.status == SessionStatus.SCHEDULED,
        Session.scheduled_at < until,
        Session.ends_at > since,
    )
    if lock:
        await session.execute(sa.select(Session.id).where(*where).order_by(Session.id).with_for_update())
    open_ = sa.and_(MoveProposal.session_id == Session.id, MoveProposal.status == ProposalStatus.OPEN)
    query = (
        sa.select(
            Session.id,
            Session.mentor_id,
            Session.student_id,
            Session.pack_id,
            Session.scheduled_at,
            Session.ends_at,
            Session.blocked,
            MoveProposal.starts_at,
            sa.func.coalesce(_student.c.name, GONE).label("name"),
            sa.func.coalesce(_student.c.time_zone, "UTC").label("zone"),
        )
        .select_from(Session)
        .outerjoin(_student, sa.true())
        .outerjoin(MoveProposal, open_)
        .where(*where)
        .order_by(Session.scheduled_at)
    )
    return [_concerned(row) for row in (await session.execute(query)).all()]


def _concerned(row: Any) -> Concerned:
    own = OwnSession(
        id=row.id,
        mentor_id=row.mentor_id,
        pack_id=row.pack_id,
        start=_seconds(row.scheduled_at),
        end=_seconds(row.ends_at),
        blocked=(_seconds(row.blocked.lower), _seconds(row.blocked.upper)),
    )
    proposed = None if row.starts_at is None else _seconds(row.starts_at)
    return Concerned(own, row.student_id, row.name, row.zone, proposed)


async def lock_pairs(session: AsyncSession, mentor_id: UUID) -> None:
    """Lock the live seats of the mentor's by id, then the packs that can be spent by id: the order of all locks."""
    seats = sa.select(SeatReservation.id).where(
        SeatReservation.mentor_id == mentor_id, SeatReservation.status != SeatStatus.RELEASED
    )
    await session.execute(seats.order_by(SeatReservation.id).with_for_update())
    packs = sa.select(SessionPack.id).where(
        SessionPack.mentor_id == mentor_id, SessionPack.status == PackStatus.ACTIVE
    )
    await session.execute(packs.order_by(SessionPack.id).with_for_update())


async def spendable(session: AsyncSession, mentor_id: UUID, now: datetime) -> dict[UUID, list[PackView]]:
    """Every pack with the mentor that can be spent now, by student."""
    query = (
        sa.select(SessionPack)
        .where(
            SessionPack.mentor_id == mentor_id,
            SessionPack.status == PackStatus.ACTIVE,
            SessionPack.expires_at > now,
        )
        .order_by(SessionPack.id)
        .execution_options(populate_existing=True)
    )
    found: dict[UUID, list[PackView]] = {}
    for pack in (await session.execute(query)).scalars():
        found.setdefault(pack.student_id, []).append(
            PackView(
                id=pack.id,
                status=pack.status,
                frozen=pack.frozen,
                total=pack.total_sessions,
                remaining=pack.remaining_sessions,
                scheduled=pack.scheduled_sessions,
                purchased_at=_seconds(pack.purchased_at),
                expires_at=_seconds(pack.expires_at),
            )
        )
    return found


async def seats(session: AsyncSession, mentor_id: UUID) -> dict[UUID, SeatView]:
    """The mentor's live seats, by student."""
    query = sa.select(
        SeatReservation.student_id, SeatReservation.status, SeatReservation.seat_expires_at
    ).where(SeatReservation.mentor_id == mentor_id, SeatReservation.status != SeatStatus.RELEASED)
    return {
        row.student_id: SeatView(row.status, row.seat_expires_at and _seconds(row.seat_expires_at))
        for row in (await session.execute(query)).all()
    }


async def extend(session: AsyncSession, packs: Mapping[UUID, int]) -> list[tuple[UUID, UUID, datetime]]:
    """Let packs end so many times 24 hours later each; (pack, student, new end) of each."""
    if not packs:
        return []
    longer = sa.values(sa.column("id", sa.Uuid), sa.column("days", sa.Integer), name="longer")
    longer = longer.data(list(packs.items()))
    hours = 24 * sa.cast(longer.c.days, sa.Integer)
    query = (
        sa.update(SessionPack)
        .where(SessionPack.id == longer.c.id)
        .values(expires_at=SessionPack.expires_at + sa.func.make_interval(0, 0, 0, 0, hours))
        .returning(SessionPack.id, SessionPack.student_id, SessionPack.expires_at)
        .execution_options(synchronize_session=False)
    )
    return [(row.id, row.student_id, row.expires_at) for row in (await session.execute(query)).all()]


async def proposed_at(session: AsyncSession, mentor_id: UUID, at: datetime) -> Sequence[UUID]:
    """Sessions with an open proposal that the mentor made at that very instant, as those of one absence are, by id."""
    query = sa.select(MoveProposal.session_id).where(
        MoveProposal.mentor_id == mentor_id,
        MoveProposal.created_at == at,
        MoveProposal.status == ProposalStatus.OPEN,
    )
    return (await session.execute(query.order_by(MoveProposal.session_id))).scalars().all()


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
