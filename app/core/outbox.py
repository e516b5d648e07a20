"""The outbox: events written with the change that made them necessary, done by jobs until they are done.

`new` → claimed by a relay → `queued`, handed to the queue under the event's id → performed → `done`; or back to `new`
with a delay, and after MAX_ATTEMPTS that failed `dead`. Being killed is no failure of the event's, but one that was
started MAX_STARTS times and never came to an end is dead too: it may be what kills the workers. Every step is one
conditional update, so that any number of workers may take it, and a worker that dies between two of them leaves
something that `stranded` finds. `available_at`, `due_at` and `done_at` are business time, `queued_at` is the
database's own time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 10
MAX_STARTS = 100
FIRST_DELAY_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 3600.0
PERFORM_SECONDS = 120.0

_CLAIM_DUE = sa.text(
    "update outbox set state = 'queued', queued_at = now() where id in ("
    " select id from outbox where state = 'new' and available_at <= :now"
    " order by available_at limit :limit for update skip locked)"
    " returning id"
)
_STRANDED = sa.text(
    "select id from outbox where state = 'queued' and queued_at < now() - make_interval(secs => :grace)"
    " and id > :after order by id limit :limit"
)
_STILL_QUEUED = sa.text("select id from outbox where state = 'queued' and id = any(:ids)")
_BEGIN = sa.text(
    "update outbox set state = case when starts < :most then 'queued' else 'dead' end,"
    " starts = least(starts + 1, :most) where id = :id and state = 'queued'"
    " returning id, type, payload, attempts + 1 as attempt, starts, state"
)
_FINISH = sa.text(
    "update outbox set state = 'done', attempts = attempts + 1, done_at = :now, last_error = null"
    " where id = :id and state <> 'done'"
)
_FAIL = sa.text(
    "update outbox set state = case when attempts + :counted < :most then 'new' else 'dead' end, queued_at = null,"
    " attempts = attempts + :counted, last_error = :error, due_at = coalesce(due_at, available_at), available_at = :next"
    " where id = :id and state = 'queued' and starts = :starts returning state"
)
_CONSIDER_TOLD = sa.text(
    "update outbox set state = 'done', done_at = :now"
    " where state = 'new' and type not like 'seats/%' and type not like 'packs/%'"
    " and type <> 'product/publish'"
    " and (available_at <= :now and type <> 'discord/role'"
    "  or :ahead and type in ('notification/send', 'discord/role'))"
)
_DUE_FROM_NOW = sa.text("update outbox set available_at = :now where state = 'new' and available_at < :now")
# `starts` tells attempts apart and so goes on, except where it is what killed the event.
_RETRY = (
    "update outbox set state = 'new', attempts = 0, starts = case when starts < :most then starts else 0 end,"
    " queued_at = null, due_at = null, available_at = :now where state = 'dead' and {which} returning id"
)
_RETRY_ONE = sa.text(_RETRY.format(which="id = :id"))
_RETRY_TYPE = sa.text(_RETRY.format(which="type = :type"))
BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Event:
    """An outbox event under way. `payload` holds ids and codes; `attempts` counts the failed ones and this one.

    `starts` tells this attempt from others of the same event.
    """

    id: UUID
    type: str
    payload: dict[str, Any]
    attempts: int
    starts: int = 1

    @property
    def is_last_attempt(self) -> bool:
        """True if the event is dead should this attempt fail: a chance to say so to people."""
        return self.attempts >= MAX_ATTEMPTS


class Retry(Exception):
    """Raised by a handler: not done, for a reason that will pass. `after_seconds` is the shortest wait that helps."""

    def __init__(self, reason: str, *, after_seconds: float = 0.0) -> None:
        self.after_seconds = after_seconds
        super().__init__(reason)


class GiveUp(Exception):
    """Raised by a handler: trying again by itself is no use, somebody has to look. The event is dead."""


class Busy(Retry):
    """Raised by a handler: somebody else is doing it right now. No attempt is counted."""


Handle = Callable[[Event], Awaitable[None]]


async def claim_due(uow: UnitOfWork, now: datetime, limit: int = 100) -> list[UUID]:
    """Ids of up to `limit` new events that are due at `now` (business time), from here on `queued` and the caller's.

    The caller commits, then hands them to the queue.
    """
    rows = await uow.session.execute(_CLAIM_DUE, {"now": now, "limit": limit})
    return list(rows.scalars())


async def stranded(
    uow: UnitOfWork, grace_seconds: float, after: UUID = BEFORE_ALL, limit: int = 500
) -> list[UUID]:
    """Ids of events `queued` for longer than `grace_seconds`, in order, from behind `after`: is there still a job?"""
    values = {"grace": grace_seconds, "after": after, "limit": limit}
    return list((await uow.session.execute(_STRANDED, values)).scalars())


async def still_queued(uow: UnitOfWork, event_ids: list[UUID]) -> list[UUID]:
    """Those of the events that nobody has finished or given back meanwhile."""
    return list((await uow.session.execute(_STILL_QUEUED, {"ids": event_ids})).scalars())


async def begin(uow: UnitOfWork, event_id: UUID) -> Event | None:
    """Start an attempt at a queued event; None if it is not to be performed: done, given back, or started too often."""
    row = (await uow.session.execute(_BEGIN, {"id": event_id, "most": MAX_STARTS})).one_or_none()
    if row is None:
        return None
    if row.state == "dead":
        logger.error("outbox event %s (%s) is dead: its attempts never end", row.id, row.type)
        return None
    return Event(row.id, row.type, row.payload, row.attempt, row.starts)


async def finish(uow: UnitOfWork, event_id: UUID, now: datetime) -> None:
    """The event is done, whoever else was at it."""
    await uow.session.execute(_FINISH, {"id": event_id, "now": now})


async def fail(uow: UnitOfWork, event: Event, error: BaseException, now: datetime) -> None:
    """Give the event back for a later attempt, or declare it dead. A stale attempt changes nothing."""
    wanted = error.after_seconds if isinstance(error, Retry) else 0.0
    wait = max(wanted, delay_seconds(event.attempts, event.id))
    values = {
        "id": event.id,
        "starts": event.starts,
        "counted": MAX_ATTEMPTS if isinstance(error, GiveUp) else 0 if isinstance(error, Busy) else 1,
        "most": MAX_ATTEMPTS,
        "error": summary(error),
        "next": now + timedelta(seconds=wait),
    }
    state = (await uow.session.execute(_FAIL, values)).scalar_one_or_none()
    facts = (event.id, event.type, event.attempts, summary(error))
    trace = None if isinstance(error, Retry | GiveUp) else error
    if state == "dead":
        logger.error("outbox event %s (%s) is dead after %s attempts: %s", *facts, exc_info=trace)
    elif state == "new":
        logger.warning("outbox event %s (%s), attempt %s: %s", *facts, exc_info=trace)


def delay_seconds(attempts: int, event_id: UUID) -> float:
    """Seconds to wait after the attempt with this number: 2, 6, 18, … up to an hour, a fifth more or less.

    The spread comes from the event's id: what failed together does not come back together. Ten attempts take longer
    than two hours at the least, so that an outage of two hours is survived.
    """
    whole = min(FIRST_DELAY_SECONDS * 3.0 ** (attempts - 1), LONGEST_DELAY_SECONDS)
    return whole * (0.8 + 0.4 * (event_id.int & 0xFFFF) / 0xFFFF)


def summary(error: BaseException) -> str:
    """The error's type and the first line of its message: database drivers put values into the others."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}"[:300] if lines else type(error).__name__


async def perform(
    database: Database, event_id: UUID, handle: Handle, seconds: float = PERFORM_SECONDS
) -> None:
    """Attempt the event: whatever `handle` raises within `seconds`, or running out of them, is kept on the event."""
    async with database.service(ServiceDoor.JOB) as uow:
        event = await begin(uow, event_id)
        await uow.commit()
    if event is None:
        return
    (error,) = await asyncio.gather(asyncio.wait_for(handle(event), seconds), return_exceptions=True)
    async with database.service(ServiceDoor.JOB) as uow:
        if error is None:
            await finish(uow, event.id, clock.now())
        else:
            await fail(uow, event, error, clock.now())
        await uow.commit()


async def retry(uow: UnitOfWork, event_id: UUID) -> bool:
    """Have a dead event attempted again from the beginning; False if it isn't dead (any more). An admin's or the service's."""
    values = {"id": event_id, "now": clock.now(), "most": MAX_STARTS}
    return (await uow.session.execute(_RETRY_ONE, values)).one_or_none() is not None


async def retry_all(uow: UnitOfWork, type_: str) -> int:
    """As `retry` for every dead event of a type; returns how many there were."""
    values = {"type": type_, "now": clock.now(), "most": MAX_STARTS}
    return len((await uow.session.execute(_RETRY_TYPE, values)).all())


async def consider_told(uow: UnitOfWork, *, ahead: bool = False) -> None:
    """Mark events that are due as done without doing them: a demo's past was told long ago.

    Seats and packs still end in time, products have to be kept at the payment providers, roles to be given on Discord,
    and people are told what comes by time; what of it is due has waited for nobody until now. `ahead`: nobody is told
    or on Discord, ever.
    """
    await uow.session.execute(_CONSIDER_TOLD, {"now": clock.now(), "ahead": ahead})
    await uow.session.execute(_DUE_FROM_NOW, {"now": clock.now()})
