"""SQL of packs, ledger and seats. Locks are taken in one order: mentor, seat, packs by id, session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.core.ids import new_id
from app.core.unit_of_work import Role
from app.mentors.models import Mentor
from app.packs.models import EntryKind, PackEntry, PackStatus, SeatReservation, SeatStatus, SessionPack

# Booked by a slice that knows this one, not the other way round.
_sessions = sa.table(
    "sessions",
    sa.column("pack_id", sa.Uuid),
    sa.column("status", sa.Text),
    sa.column("scheduled_at", sa.DateTime(timezone=True)),
)


async def lock_mentor(session: AsyncSession, mentor_id: UUID) -> int | None:
    """Lock the mentor's row and return the number of seats; None if there is no such mentor."""
    query = sa.select(Mentor.max_active_students).where(Mentor.id == mentor_id)
    query = query.with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one_or_none()


async def seats_in_use(session: AsyncSession, mentor_id: UUID) -> int:
    """Live seats of the mentor, whoever asks."""
    query = sa.select(sa.func.seats_in_use(mentor_id, type_=sa.Integer))
    return (await session.execute(query)).scalar_one()


async def lock_seat(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> SeatReservation | None:
    """The pair's live seat, locked."""
    query = (
        sa.select(SeatReservation)
        .where(
            SeatReservation.mentor_id == mentor_id,
            SeatReservation.student_id == student_id,
            SeatReservation.status != SeatStatus.RELEASED,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def seat_of(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> SeatReservation | None:
    """The pair's live seat, not locked."""
    query = sa.select(SeatReservation).where(
        SeatReservation.mentor_id == mentor_id,
        SeatReservation.student_id == student_id,
        SeatReservation.status != SeatStatus.RELEASED,
    )
    return (await session.execute(query)).scalar_one_or_none()


async def lock_packs(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> Sequence[SessionPack]:
    """Every pack of the pair by id, locked."""
    query = (
        sa.select(SessionPack)
        .where(SessionPack.mentor_id == mentor_id, SessionPack.student_id == student_id)
        .order_by(SessionPack.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalars().all()


async def add_pack(
    session: AsyncSession,
    *,
    mentor_id: UUID,
    student_id: UUID,
    product_id: UUID | None,
    sessions: int,
    purchased_at: datetime,
    expires_at: datetime,
    import_key: str | None = None,
) -> UUID:
    """A pack without sessions: the ledger brings them."""
    id_ = new_id()
    await session.execute(
        sa.insert(SessionPack).values(
            id=id_,
            mentor_id=mentor_id,
            student_id=student_id,
            product_id=product_id,
            status=PackStatus.ACTIVE,
            frozen=False,
            total_sessions=sessions,
            remaining_sessions=0,
            scheduled_sessions=0,
            purchased_at=purchased_at,
            expires_at=expires_at,
            import_key=import_key,
        )
    )
    return id_


async def add_entry(session: AsyncSession, entry: dict[str, object]) -> UUID:
    """One line of the ledger; its id."""
    id_ = new_id()
    await session.execute(sa.insert(PackEntry).values(id=id_, **entry))
    return id_


async def entry(session: AsyncSession, entry_id: UUID) -> PackEntry:
    """A line of the ledger."""
    return (await session.execute(sa.select(PackEntry).where(PackEntry.id == entry_id))).scalar_one()


async def last_entry(session: AsyncSession, pack_id: UUID, kind: EntryKind) -> PackEntry | None:
    """The last line of the ledger that is of this kind."""
    query = sa.select(PackEntry).where(PackEntry.pack_id == pack_id, PackEntry.kind == kind)
    query = query.order_by(PackEntry.at.desc(), PackEntry.id.desc()).limit(1)
    return (await session.execute(query)).scalar_one_or_none()


async def pack_by_id(session: AsyncSession, pack_id: UUID) -> SessionPack | None:
    """A pack as it is in the database, not locked."""
    query = sa.select(SessionPack).where(SessionPack.id == pack_id)
    return (await session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class Credit:
    """Sessions of all packs of a pair: what they held, and what is left of those that can be spent; until when."""

    total: int
    left: int
    expires_at: datetime | None


async def credit(session: AsyncSession, mentor_id: UUID, student_id: UUID, now: datetime) -> Credit:
    """What the pair's packs held, and what can be spent of them at `now`."""
    spendable = sa.and_(SessionPack.status == PackStatus.ACTIVE, SessionPack.expires_at > now)
    query = sa.select(
        sa.func.coalesce(sa.func.sum(SessionPack.total_sessions), 0),
        sa.func.coalesce(sa.func.sum(SessionPack.remaining_sessions).filter(spendable), 0),
        sa.func.min(SessionPack.expires_at).filter(spendable),
    ).where(SessionPack.mentor_id == mentor_id, SessionPack.student_id == student_id)
    total, left, expires_at = (await session.execute(query)).one()
    return Credit(int(total), int(left), expires_at)


async def pack_by_key(session: AsyncSession, import_key: str) -> UUID | None:
    """The pack that was made under this key."""
    query = sa.select(SessionPack.id).where(SessionPack.import_key == import_key)
    return (await session.execute(query)).scalar_one_or_none()


async def are_both_there(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> bool:
    """True if the one still teaches and the other learns, with their accounts; they stay so until the transaction ends."""
    mentor = sa.and_(User.id == mentor_id, User.role == Role.MENTOR)
    student = sa.and_(User.id == student_id, User.role == Role.STUDENT)
    query = sa.select(User.id).where(sa.or_(mentor, student), User.deleted_at.is_(None)).order_by(User.id)
    return len((await session.execute(query.with_for_update(read=True, key_share=True))).all()) == 2


async def booked_from(session: AsyncSession, pack_id: UUID, since: datetime) -> bool:
    """True if a session of the pack is scheduled at `since` or later."""
    query = sa.select(
        sa.exists().where(
            _sessions.c.pack_id == pack_id,
            _sessions.c.status == "scheduled",
            _sessions.c.scheduled_at >= since,
        )
    )
    return bool((await session.execute(query)).scalar_one())


async def seats_open_to(session: AsyncSession, mentor_id: UUID, student_id: UUID) -> int | None:
    """Free seats beyond those that others have waited for longer; None for an unknown mentor."""
    query = sa.select(sa.func.seats_open_to(mentor_id, student_id, type_=sa.Integer))
    return (await session.execute(query)).scalar_one()


async def seat_by_id(session: AsyncSession, seat_id: UUID) -> SeatReservation | None:
    """A seat, live or released, as it is in the database."""
    query = sa.select(SeatReservation).where(SeatReservation.id == seat_id)
    return (await session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def add_seat(
    session: AsyncSession,
    mentor_id: UUID,
    student_id: UUID,
    status: SeatStatus,
    expires_at: datetime | None,
    now: datetime,
) -> UUID:
    """A new live seat; its id."""
    id_ = new_id()
    await session.execute(
        sa.insert(SeatReservation).values(
            id=id_,
            mentor_id=mentor_id,
            student_id=student_id,
            status=status,
            seat_expires_at=expires_at,
            created_at=now,
            changed_at=now,
        )
    )
    return id_


async def change_seat(session: AsyncSession, seat_id: UUID, values: dict[str, Any]) -> None:
    """Change a seat; the trigger writes its history."""
    await session.execute(sa.update(SeatReservation).where(SeatReservation.id == seat_id).values(**values))


async def change_pack(session: AsyncSession, pack_id: UUID, values: dict[str, Any]) -> None:
    """Change a pack; what is left in it is the ledger's business."""
    await session.execute(sa.update(SessionPack).where(SessionPack.id == pack_id).values(**values))


async def prolong(session: AsyncSession, pack_id: UUID, at_least: datetime) -> bool:
    """Move a pack's expiry to `at_least`; False where it isn't earlier."""
    query = (
        sa.update(SessionPack)
        .where(SessionPack.id == pack_id, SessionPack.expires_at < at_least)
        .values(expires_at=at_least)
        .returning(SessionPack.id)
    )
    return (await session.execute(query)).scalar_one_or_none() is not None
