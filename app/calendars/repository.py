"""The SQL of calendars: connections, and busy windows that change only as a whole and never back in time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, Range

from app.accounts.models import User
from app.calendars.models import BusyWindow, CalendarConnection, CalendarState
from app.core.unit_of_work import UnitOfWork

TimeSpan = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """What a mentor sees of their connection; `calendars` are those to choose from, as [id, name]."""

    state: CalendarState
    google_email: str
    google_calendar_id: str
    calendars: list[list[str]]
    synced_until: datetime | None
    mirrored_at: datetime | None
    last_error: str | None
    channel_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who is to be told something."""

    id: UUID
    name: str
    email: str


# What the role app may read of its own connection: none of the secrets.
FACTS_COLUMNS: Final = (
    CalendarConnection.state,
    CalendarConnection.google_email,
    CalendarConnection.google_calendar_id,
    CalendarConnection.calendars,
    CalendarConnection.synced_until,
    CalendarConnection.mirrored_at,
    CalendarConnection.last_error,
    CalendarConnection.channel_expires_at,
)
_PUSH_MAY_BE_LOST = timedelta(hours=1)
_NO_MIRROR_PENDING = sa.text(
    "not exists (select 1 from outbox o where o.state in ('new', 'queued') and o.type = 'calendar/mirror'"
    " and o.payload ->> 'mentor_id' = calendar_connections.mentor_id::text)"
)


# One statement each, however many windows: a trigger tells open pages once for a statement.
_EVENT_IDS = sa.bindparam("event_ids", type_=ARRAY(sa.Text))
_DROP_THESE = sa.text(
    "delete from busy_windows where mentor_id = :mentor_id and event_id = any(:event_ids)"
).bindparams(_EVENT_IDS)
_DROP_OTHERS = sa.text(
    "delete from busy_windows where mentor_id = :mentor_id and event_id <> all(:event_ids)"
).bindparams(_EVENT_IDS)
_PUT = sa.text(
    "insert into busy_windows (mentor_id, event_id, span)"
    " select :mentor_id, event_id, tstzrange(start, until)"
    " from unnest(:event_ids, :starts, :ends) as found(event_id, start, until)"
    " on conflict (mentor_id, event_id) do update set span = excluded.span"
    " where busy_windows.span <> excluded.span"
).bindparams(
    sa.bindparam("mentor_id", type_=sa.Uuid),
    _EVENT_IDS,
    sa.bindparam("starts", type_=ARRAY(sa.DateTime(timezone=True))),
    sa.bindparam("ends", type_=ARRAY(sa.DateTime(timezone=True))),
)


async def connection(uow: UnitOfWork, mentor_id: UUID, *, lock: bool = False) -> CalendarConnection | None:
    """The mentor's connection with its secrets (service role only); `lock`: nobody else changes it."""
    return await uow.session.get(CalendarConnection, mentor_id, with_for_update=lock, populate_existing=lock)


async def connection_facts(uow: UnitOfWork, mentor_id: UUID) -> ConnectionFacts | None:
    """The mentor's connection without its secrets."""
    query = sa.select(*FACTS_COLUMNS).where(CalendarConnection.mentor_id == mentor_id)
    row = (await uow.session.execute(query)).one_or_none()
    return None if row is None else ConnectionFacts(*row)


async def by_channel(uow: UnitOfWork, channel_id: str) -> CalendarConnection | None:
    """The connection that a push channel belongs to."""
    query = sa.select(CalendarConnection).where(CalendarConnection.channel_id == channel_id)
    return (await uow.session.execute(query)).scalar_one_or_none()


async def claim_version(
    uow: UnitOfWork, mentor_id: UUID, connected_at: datetime, version: int, changes: Mapping[str, Any]
) -> bool:
    """Make `changes` if this very connection's mirror still has `version`; whoever changes windows raises it.

    True: the row is locked until the commit, and the windows may be changed. False: somebody knows better.
    """
    query = (
        sa.update(CalendarConnection)
        .where(
            CalendarConnection.mentor_id == mentor_id,
            CalendarConnection.connected_at == connected_at,
            CalendarConnection.mirror_version == version,
        )
        .values(**changes)
        .returning(CalendarConnection.mentor_id)
    )
    return (await uow.session.execute(query)).scalar_one_or_none() is not None


async def mark_revoked(uow: UnitOfWork, mentor_id: UUID, connected_at: datetime) -> bool:
    """Set the state to revoked; False if it is already, or another consent was given since."""
    query = (
        sa.update(CalendarConnection)
        .where(
            CalendarConnection.mentor_id == mentor_id,
            CalendarConnection.connected_at == connected_at,
            CalendarConnection.state == CalendarState.CONNECTED,
        )
        .values(state=CalendarState.REVOKED)
        .returning(CalendarConnection.mentor_id)
    )
    return (await uow.session.execute(query)).scalar_one_or_none() is not None


async def note_error(uow: UnitOfWork, mentor_id: UUID, code: str) -> None:
    """Remember why the mirror could not be brought up to date."""
    query = sa.update(CalendarConnection).where(CalendarConnection.mentor_id == mentor_id)
    await uow.session.execute(query.values(last_error=code))


async def windows_touching(
    uow: UnitOfWork, mentor_id: UUID, start: datetime, end: datetime
) -> dict[str, TimeSpan]:
    """The mirror's windows that overlap [start, end), by event id."""
    query = sa.select(BusyWindow.event_id, BusyWindow.span).where(
        BusyWindow.mentor_id == mentor_id, BusyWindow.span.overlaps(Range(start, end))
    )
    rows = await uow.session.execute(query)
    return {event_id: cast(TimeSpan, (span.lower, span.upper)) for event_id, span in rows}


async def drop_windows(uow: UnitOfWork, mentor_id: UUID, event_ids: Collection[str]) -> None:
    """Delete the windows of these events."""
    if event_ids:
        await uow.session.execute(_DROP_THESE, {"mentor_id": mentor_id, "event_ids": list(event_ids)})


async def drop_other_windows(uow: UnitOfWork, mentor_id: UUID, event_ids: Collection[str]) -> None:
    """Delete the windows of all events but these."""
    await uow.session.execute(_DROP_OTHERS, {"mentor_id": mentor_id, "event_ids": list(event_ids)})


async def put_windows(uow: UnitOfWork, mentor_id: UUID, spans: Mapping[str, TimeSpan]) -> None:
    """Insert or replace windows, by event id.

    What is the same already isn't touched: open pages hear of changes only.
    """
    if spans:
        values = {
            "mentor_id": mentor_id,
            "event_ids": list(spans),
            "starts": [start for start, _ in spans.values()],
            "ends": [end for _, end in spans.values()],
        }
        await uow.session.execute(_PUT, values)


async def due_mentors(uow: UnitOfWork, now: datetime, poll_minutes: int) -> Sequence[UUID]:
    """Connected mentors whose mirror is older than `poll_minutes` (with push: an hour), oldest first.

    Those whose mirror is about to be read anyway are left out. `now` is business time.
    """
    polled = CalendarConnection.mirrored_at <= now - timedelta(minutes=poll_minutes)
    pushed = CalendarConnection.mirrored_at <= now - _PUSH_MAY_BE_LOST
    query = (
        sa.select(CalendarConnection.mentor_id)
        .where(
            CalendarConnection.state == CalendarState.CONNECTED,
            sa.or_(
                CalendarConnection.mirrored_at.is_(None),
                pushed,
                sa.and_(CalendarConnection.channel_id.is_(None), polled),
            ),
            _NO_MIRROR_PENDING,
        )
        .order_by(CalendarConnection.mirrored_at.asc().nulls_first())
    )
    return (await uow.session.execute(query)).scalars().all()


async def connected_mentors(uow: UnitOfWork) -> Sequence[UUID]:
    """Every mentor with a usable connection."""
    query = sa.select(CalendarConnection.mentor_id).where(CalendarConnection.state == CalendarState.CONNECTED)
    return (await uow.session.execute(query.order_by(CalendarConnection.mentor_id))).scalars().all()


async def mentors_without_channel(uow: UnitOfWork, until: datetime) -> Sequence[UUID]:
    """Connected mentors without a push channel that lives until `until` (Google's clock)."""
    ending = sa.or_(
        CalendarConnection.channel_expires_at.is_(None), CalendarConnection.channel_expires_at < until
    )
    query = sa.select(CalendarConnection.mentor_id).where(
        CalendarConnection.state == CalendarState.CONNECTED, ending
    )
    return (await uow.session.execute(query)).scalars().all()


async def sealed_tokens(uow: UnitOfWork) -> list[tuple[UUID, bytes]]:
    """Every stored refresh token as it is encrypted, locked."""
    query = sa.select(CalendarConnection.mentor_id, CalendarConnection.google_refresh_token).with_for_update()
    return [(mentor_id, sealed) for mentor_id, sealed in await uow.session.execute(query)]


async def put_token(uow: UnitOfWork, mentor_id: UUID, sealed: bytes) -> None:
    """Replace the encrypted refresh token."""
    query = sa.update(CalendarConnection).where(CalendarConnection.mentor_id == mentor_id)
    await uow.session.execute(query.values(google_refresh_token=sealed))


async def revoked_mentor(uow: UnitOfWork, mentor_id: UUID) -> Recipient | None:
    """The mentor if their grant is revoked and their account is alive."""
    query = (
        sa.select(User.id, User.name, User.email)
        .join(CalendarConnection, CalendarConnection.mentor_id == User.id)
        .where(
            User.id == mentor_id,
            User.deleted_at.is_(None),
            CalendarConnection.state == CalendarState.REVOKED,
        )
    )
    row = (await uow.session.execute(query)).one_or_none()
    return None if row is None else Recipient(*row)
