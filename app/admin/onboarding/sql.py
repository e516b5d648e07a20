"""The SQL of onboarding: a few statements over sets, however many rows there are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.admin.onboarding.plan import Account, Facts, Teacher
from app.admin.onboarding.rules import Row
from app.core.unit_of_work import Role
from app.mentors.models import Mentor
from app.packs.models import SeatReservation, SeatStatus, SessionPack

_LIVE: Final = SeatReservation.status != SeatStatus.RELEASED
_ADD_PACKS = sa.text(
    "insert into session_packs (id, mentor_id, student_id, status, frozen, total_sessions, remaining_sessions,"
    " scheduled_sessions, purchased_at, expires_at, import_key)"
    " select id, mentor_id, student_id, case when remaining > 0 then 'active' else 'depleted' end, false, total, 0, 0,"
    " :now, expires_at, key"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as p(id uuid, mentor_id uuid, student_id uuid, total integer,"
    " remaining integer, expires_at timestamptz, key text)"
)
_ADD_ENTRIES = sa.text(
    "insert into pack_entries (id, pack_id, kind, delta, actor_id, reason, at)"
    " select entry_id, id, 'grant', remaining, :actor, reason, :now"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as p(id uuid, entry_id uuid, remaining integer, reason text)"
    " where remaining > 0"
)
_ADD_SEATS = sa.text(
    "insert into seat_reservations (id, mentor_id, student_id, status, created_at, changed_at)"
    " select id, mentor_id, student_id, 'active', :now, :now"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as p(id uuid, mentor_id uuid, student_id uuid)"
)
_KEEP_SEATS = sa.text(
    "update seat_reservations r set status = 'active', seat_expires_at = null, offered_until = null, held_until = null,"
    " changed_at = :now from jsonb_to_recordset(cast(:rows as jsonb)) as p(mentor_id uuid, student_id uuid)"
    " where r.mentor_id = p.mentor_id and r.student_id = p.student_id and r.status in ('grace', 'offered', 'held')"
)
_END_WAITING = sa.text(
    "update waitlist w set left_at = :now, outcome = 'seated'"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as p(mentor_id uuid, student_id uuid)"
    " where w.mentor_id = p.mentor_id and w.student_id = p.student_id and w.left_at is null"
)
_EMIT = sa.text(
    "insert into outbox (id, type, payload, key, state, attempts, created_at, available_at)"
    " select id, type, payload, coalesce(key, id::text), 'new', 0, :now, coalesce(at, :now)"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as e(id uuid, type text, payload jsonb, key text, at timestamptz)"
    " on conflict do nothing"
)


async def facts(session: AsyncSession, rows: Sequence[Row], *, lock: bool = False) -> Facts:
    """What there is of the people and packs that the rows name. Five queries, with locks seven.

    `lock`: the mentors by id, everybody's accounts, then the seats of the rows' pairs, so that all stays so until the
    transaction ends.
    """
    students, teachers = {row.student_email for row in rows}, {row.mentor_email for row in rows}
    if lock:
        await _lock(session, teachers, students)
    mentors = await _mentors(session, teachers)
    accounts = await _accounts(session, students)
    seated = await _seated(session, mentors.values(), accounts.values(), lock=lock)
    keys = sa.select(SessionPack.import_key).where(SessionPack.import_key.in_([row.key for row in rows]))
    there = frozenset(key for key in (await session.execute(keys)).scalars() if key)
    return Facts(accounts, await _counted(session, mentors), seated, there)


async def _lock(session: AsyncSession, mentors: set[str], students: set[str]) -> None:
    """Lock mentors, then accounts; what they are is read afterwards, for it may have changed while we waited."""
    teachers = sa.select(Mentor.id).join(User, User.id == Mentor.id).where(User.email.in_(list(mentors)))
    await session.execute(teachers.order_by(Mentor.id).with_for_update(of=Mentor, key_share=True))
    people = sa.select(User.id).where(User.email.in_(list(mentors | students))).order_by(User.id)
    await session.execute(people.with_for_update(read=True, key_share=True))


async def _mentors(session: AsyncSession, emails: Iterable[str]) -> dict[str, Teacher]:
    query = (
        sa.select(User.email, Mentor.id, User.name, Mentor.time_zone, Mentor.max_active_students)
        .join(User, User.id == Mentor.id)
        .where(User.email.in_(list(emails)), User.deleted_at.is_(None), User.role == Role.MENTOR)
    )
    return {
        row.email.lower(): Teacher(row.id, row.name, row.time_zone, row.max_active_students, 0)
        for row in (await session.execute(query)).all()
    }


async def _counted(session: AsyncSession, mentors: Mapping[str, Teacher]) -> dict[str, Teacher]:
    """The mentors with the seats that are taken now."""
    query = (
        sa.select(SeatReservation.mentor_id, sa.func.count().label("taken"))
        .where(_LIVE, SeatReservation.mentor_id.in_([mentor.id for mentor in mentors.values()]))
        .group_by(SeatReservation.mentor_id)
    )
    taken = {row.mentor_id: row.taken for row in (await session.execute(query)).all()}
    return {
        email: Teacher(mentor.id, mentor.name, mentor.zone, mentor.capacity, taken.get(mentor.id, 0))
        for email, mentor in mentors.items()
    }


async def _accounts(session: AsyncSession, emails: Iterable[str]) -> dict[str, Account]:
    query = sa.select(User.email, User.id, User.name, User.role, User.deleted_at).where(
        User.email.in_(list(emails))
    )
    return {
        row.email.lower(): Account(row.id, row.name, row.role, row.deleted_at is not None)
        for row in (await session.execute(query)).all()
    }


async def _seated(
    session: AsyncSession, mentors: Iterable[Teacher], students: Iterable[Account], *, lock: bool
) -> frozenset[tuple[UUID, UUID]]:
    query = (
        sa.select(SeatReservation.mentor_id, SeatReservation.student_id)
        .where(
            _LIVE,
            SeatReservation.mentor_id.in_([mentor.id for mentor in mentors]),
            SeatReservation.student_id.in_([student.id for student in students]),
        )
        .order_by(SeatReservation.id)
    )
    if lock:
        query = query.with_for_update()
    return frozenset((row.mentor_id, row.student_id) for row in (await session.execute(query)).all())


async def add_packs(
    session: AsyncSession, packs: Sequence[Mapping[str, Any]], actor: UUID | None, now: datetime
) -> None:
    """Packs with their first line of the ledger: {id, entry_id, mentor_id, student_id, total, remaining, expires_at, key,
    reason}."""
    await session.execute(_ADD_PACKS, {"rows": _json(packs), "now": now})
    await session.execute(_ADD_ENTRIES, {"rows": _json(packs), "actor": actor, "now": now})


async def seat(
    session: AsyncSession,
    new: Sequence[Mapping[str, Any]],
    pairs: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    """Take the `new` seats {id, mentor_id, student_id}; all `pairs` have an active one then and wait no longer."""
    await session.execute(_ADD_SEATS, {"rows": _json(new), "now": now})
    await session.execute(_KEEP_SEATS, {"rows": _json(pairs), "now": now})
    await session.execute(_END_WAITING, {"rows": _json(pairs), "now": now})


async def emit(session: AsyncSession, events: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Events of the outbox {id, type, payload, key or None, at or None}."""
    await session.execute(_EMIT, {"rows": _json(events), "now": now})


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(list(rows), default=str)
