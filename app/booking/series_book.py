"""Booking a series: all of its sessions or none, in one transaction, each by the rules of a single booking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from app.booking import idempotency, repository, series, slots
from app.booking.book import admit, insert, now_seconds
from app.booking.events import tell_series, write_calendar
from app.booking.facts import SessionFacts, facts
from app.booking.idempotency import Idempotency
from app.booking.models import EventSync
from app.booking.refusals import NOT_BOOKED, BookingRefused
from app.booking.situation import MentorView, PackView, Situation
from app.booking.slots import Span
from app.booking.transactions import decided
from app.calendars import service as calendars
from app.calendars.google import Google
from app.core.db import Database
from app.core.errors import BadRequest
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.packs import seats

MOST: Final = 60
"""More sessions at once than any pack holds in a mentor's horizon."""


class BookedSeries(msgspec.Struct, frozen=True):
    """The answer: the sessions in order; `created` is False where these very sessions were there already."""

    sessions: list[SessionFacts]
    created: bool


@dataclass(frozen=True)
class _Wish:
    mentor_id: UUID
    starts: tuple[datetime, ...]
    idempotency: Idempotency | None

    @property
    def body(self) -> str:
        return f"{self.mentor_id} " + " ".join(start.isoformat() for start in self.starts)


async def book_series(
    uow: UnitOfWork,
    database: Database,
    google: Google,
    *,
    mentor_id: UUID,
    starts: Sequence[datetime],
    idempotency: Idempotency | None = None,
) -> BookedSeries:
    """Book a session with a mentor at each of `starts` (UTC) for the student that `uow` is bound to, and commit.

    The same key again, or the same wish while its sessions are scheduled, answers with those sessions. Google is asked
    once, about the whole time from the first session to the last. Raises BadRequest for no start or too many, NotFound
    for an unknown mentor, BookingRefused with one of its codes and `start` in `extra`,
    Unavailable("calendar_unavailable"); nothing is booked then.
    """
    wish = _Wish(mentor_id, tuple(sorted({start.astimezone(UTC) for start in starts})), idempotency)
    if not 1 <= len(wish.starts) <= MOST:
        raise BadRequest(f"start: give 1 to {MOST} times. {NOT_BOOKED}")
    situation = await _situation(uow, wish)
    earlier = await _earlier(uow, wish, situation)
    if earlier is not None:
        return earlier
    _admit(situation, wish)
    live = await _live(uow, database, google, situation.mentor, wish)
    return await decided(uow, lambda: _write(uow, wish, live), NOT_BOOKED)


async def _situation(uow: UnitOfWork, wish: _Wish) -> Situation:
    return await repository.situation(uow, wish.mentor_id, uow.user_id, wish.starts[0], wish.starts[-1])


async def _earlier(uow: UnitOfWork, wish: _Wish, situation: Situation) -> BookedSeries | None:
    """The answer given before, if there is one."""
    if wish.idempotency is not None:
        answer = await idempotency.earlier_answer(uow, wish.idempotency, wish.body)
        if answer is not None:
            return msgspec.convert(answer, BookedSeries)
    mine = {own.start: own.id for own in situation.own if own.mentor_id == wish.mentor_id}
    wanted = [_seconds(start) for start in wish.starts]
    if not all(start in mine for start in wanted):
        return None
    rows = [await repository.find(uow.session, mine[start]) for start in wanted]
    return BookedSeries([facts(row) for row in rows], created=False)


def _admit(situation: Situation, wish: _Wish, live: Sequence[Span] = ()) -> list[PackView]:
    """The pack that pays for each session, those before it being booked. Raises BookingRefused."""
    packs = []
    for start in wish.starts:
        try:
            packs.append(admit(situation, start, NOT_BOOKED, live))
        except BookingRefused as error:
            error.extra["start"] = iso(start)
            raise
        situation = series.after(situation, now_seconds(), _seconds(start))
    return packs


async def _live(
    uow: UnitOfWork, database: Database, google: Google, mentor: MentorView, wish: _Wish
) -> Sequence[Span]:
    """What Google says right now about the time from the first session to the last; the transaction ends before."""
    if mentor.calendar is None:
        return ()
    await uow.commit()
    since, _ = slots.blocked_range(mentor.rules, _seconds(wish.starts[0]))
    _, until = slots.blocked_range(mentor.rules, _seconds(wish.starts[-1]))
    return await calendars.busy_live(database, google, mentor.id, since, until)


async def _write(uow: UnitOfWork, wish: _Wish, live: Sequence[Span]) -> BookedSeries:
    """Everything that the booking changes, behind the locks."""
    await repository.queue_up(uow.session, wish.mentor_id, uow.user_id)
    await seats.lock_pair(uow, wish.mentor_id, uow.user_id)
    situation = await _situation(uow, wish)
    earlier = await _earlier(uow, wish, situation)
    if earlier is not None:
        return earlier
    packs = _admit(situation, wish, live)
    sync = EventSync.NONE if situation.mentor.calendar is None else EventSync.PENDING
    sessions = [
        await insert(uow, situation.mentor, pack, start, sync)
        for start, pack in zip(wish.starts, packs, strict=True)
    ]
    await tell_series(uow, sessions)
    if sync is EventSync.PENDING:
        for session in sessions:
            await write_calendar(uow, session.id, 0)
    booked = BookedSeries(sessions, created=True)
    if wish.idempotency is not None:
        await idempotency.remember(uow, wish.idempotency, wish.body, msgspec.to_builtins(booked))
    return booked


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
