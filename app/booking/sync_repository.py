"""The SQL of writing calendars: claims on sessions, and which sessions are behind. For the service role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.booking.models import Conflict, EventSync, Session, SessionStatus
from app.core.unit_of_work import UnitOfWork


class Claim(msgspec.Struct, frozen=True):
    """A session as it was when it became ours to write; `written_id`: the event known to be in the calendar."""

    id: UUID
    mentor_id: UUID
    student_name: str
    status: SessionStatus
    scheduled_at: datetime
    ends_at: datetime
    version: int
    event_version: int | None
    generation: int
    written_id: str | None
    conflict: Conflict | None
    conflict_start: datetime | None
    claimed_until: datetime


_TO_DO: Final = "s.id = :id and (s.event_sync = 'pending' or :check and s.event_sync <> 'none' and s.status = 'scheduled')"
_CLAIM = sa.text(f"""
update sessions s set event_claimed_until = clock_timestamp() + make_interval(secs => :seconds)
  from users u
 where u.id = s.student_id and {_TO_DO}
   and (s.event_claimed_until is null or s.event_claimed_until <= clock_timestamp())
returning s.id, s.mentor_id, u.name as student_name, s.status, s.scheduled_at, s.ends_at, s.version, s.event_version,
          s.event_generation as generation, s.google_calendar_event_id as written_id, s.conflict, s.conflict_start,
          s.event_claimed_until as claimed_until
""")  # noqa: S608
_CLAIMED_FOR = sa.text(
    f"select extract(epoch from s.event_claimed_until - clock_timestamp())::float from sessions s"  # noqa: S608
    f" where {_TO_DO} and s.event_claimed_until > clock_timestamp()"
)
# A new calendar knows none of our events, an old one all of them: what is known of ids starts anew.
_REPLAY = sa.text("""
update sessions
   set event_sync = 'pending', conflict = null, conflict_start = null,
       google_calendar_event_id = case when status = 'scheduled' then null else google_calendar_event_id end
 where mentor_id = :mentor_id
   and (event_sync in ('pending', 'failed') and (status = 'canceled' or ends_at > :now)
        or status = 'scheduled' and scheduled_at > :now)
returning id
""")


async def claim(uow: UnitOfWork, session_id: UUID, seconds: float, check: bool) -> Claim | None:
    """Make the session ours for `seconds`, if it has something to write (or to look at) and nobody is at it."""
    values = {"id": session_id, "seconds": seconds, "check": check}
    row = (await uow.session.execute(_CLAIM, values)).one_or_none()
    return None if row is None else msgspec.convert(dict(row._mapping), Claim)


async def claimed_for(uow: UnitOfWork, session_id: UUID, check: bool) -> float | None:
    """For how many seconds somebody else has it; None if nobody has, or nothing is to be written."""
    values = {"id": session_id, "check": check}
    return (await uow.session.execute(_CLAIMED_FOR, values)).scalar_one_or_none()


async def finish(uow: UnitOfWork, claim: Claim, values: Mapping[str, Any]) -> bool:
    """End the claim with its result, if it is still ours and the session hasn't changed since."""
    statement = (
        sa.update(Session)
        .where(
            Session.id == claim.id,
            Session.event_claimed_until == claim.claimed_until,
            Session.version == claim.version,
        )
        .values(event_claimed_until=None, **values)
        .returning(Session.id)
    )
    return (await uow.session.execute(statement)).scalar_one_or_none() is not None


async def release(uow: UnitOfWork, claim: Claim, *, next_generation: bool = False) -> None:
    """Give the session back for another round, which must look again whatever happened meanwhile."""
    mine = Session.event_claimed_until == claim.claimed_until
    values: dict[str, Any] = {
        "event_sync": EventSync.PENDING,
        "event_claimed_until": sa.case((mine, None), else_=Session.event_claimed_until),
    }
    if next_generation:
        fresh = sa.and_(mine, Session.event_generation == claim.generation)
        values["event_generation"] = sa.case((fresh, claim.generation + 1), else_=Session.event_generation)
    await uow.session.execute(
        sa.update(Session)
        .where(Session.id == claim.id, Session.event_sync != EventSync.NONE)
        .values(**values)
    )


async def replay(uow: UnitOfWork, mentor_id: UUID, now: datetime) -> Sequence[UUID]:
    """Make everything of the mentor's that is behind, or lies ahead, pending again; returns the ids."""
    return (await uow.session.execute(_REPLAY, {"mentor_id": mentor_id, "now": now})).scalars().all()
