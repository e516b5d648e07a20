"""Booking: look, ask Google, then decide again behind locks, and write everything in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import Range

from app.booking import idempotency, repository, rules, slots
from app.booking.events import remind, tell
from app.booking.facts import Booked, SessionFacts, facts
from app.booking.idempotency import Idempotency
from app.booking.models import EventSync, SessionStatus
from app.booking.refusals import NOT_BOOKED, demand, refusal
from app.booking.situation import MentorView, PackView, Situation
from app.booking.slots import Span
from app.booking.transactions import decided
from app.calendars import service as calendars
from app.calendars.google import Google
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.unit_of_work import UnitOfWork
from app.packs import seats


@dataclass(frozen=True)
class _Wish:
    mentor_id: UUID
    start: datetime
    idempotency: Idempotency | None

    @property
    def body(self) -> str:
        return f"{self.mentor_id} {self.start.isoformat()}"


async def book(
    uow: UnitOfWork,
    database: Database,
    google: Google,
    *,
    mentor_id: UUID,
    start: datetime,
    idempotency: Idempotency | None = None,
) -> Booked:
    """Book a session with a mentor from `start` (UTC) on for the student that `uow` is bound to, and commit.

    The same key again, or the same wish while its session is scheduled, answers with that session. Raises NotFound for
    an unknown mentor, BookingRefused with one of its codes, Unavailable("calendar_unavailable") if Google can't be
    asked; nothing is changed then.
    """
    wish = _Wish(mentor_id, start.astimezone(UTC), idempotency)
    earlier, situation = await _look(uow, wish)
    if earlier is not None:
        return earlier
    live = await live_windows(uow, database, google, situation.mentor, wish.start)
    return await decided(uow, lambda: _write(uow, wish, live), NOT_BOOKED)


async def live_windows(
    uow: UnitOfWork, database: Database, google: Google, mentor: MentorView, start: datetime
) -> Sequence[Span]:
    """What Google says right now about the time a session would block; nothing for a mentor without Google.

    The transaction ends before Google is asked. Raises Unavailable("calendar_unavailable").
    """
    if mentor.calendar is None:
        return ()
    await uow.commit()
    since, until = slots.blocked_range(mentor.rules, _seconds(start))
    return await calendars.busy_live(database, google, mentor.id, since, until)


async def _look(uow: UnitOfWork, wish: _Wish) -> tuple[Booked | None, Situation]:
    """The answer given before, if there is one; else whether asking Google is worth it."""
    situation = await repository.situation(uow, wish.mentor_id, uow.user_id, wish.start, wish.start)
    earlier = await _earlier(uow, wish, situation)
    if earlier is None:
        admit(situation, wish.start, NOT_BOOKED)
    return earlier, situation


async def _earlier(uow: UnitOfWork, wish: _Wish, situation: Situation) -> Booked | None:
    if wish.idempotency is not None:
        answer = await idempotency.earlier_answer(uow, wish.idempotency, wish.body)
        if answer is not None:
            return Booked(msgspec.convert(answer, SessionFacts), created=True)
    for own in situation.own:
        if own.mentor_id == wish.mentor_id and _instant(own.start) == wish.start:
            return Booked(facts(await repository.find(uow.session, own.id)), created=False)
    return None


async def _write(uow: UnitOfWork, wish: _Wish, live: Sequence[Span]) -> Booked:
    """Everything that a booking changes, behind the locks."""
    student_id = uow.user_id
    await repository.queue_up(uow.session, wish.mentor_id, student_id)
    await seats.lock_pair(uow, wish.mentor_id, student_id)
    situation = await repository.situation(uow, wish.mentor_id, student_id, wish.start, wish.start)
    earlier = await _earlier(uow, wish, situation)
    if earlier is not None:
        return earlier
    pack = admit(situation, wish.start, NOT_BOOKED, live)
    sync = EventSync.NONE if situation.mentor.calendar is None else EventSync.PENDING
    session = await insert(uow, situation.mentor, pack, wish.start, sync)
    await tell(uow, "session_booked", session, version=0, sync=sync)
    if wish.idempotency is not None:
        await idempotency.remember(uow, wish.idempotency, wish.body, msgspec.to_builtins(session))
    return Booked(session, created=True)


def admit(situation: Situation, start: datetime, unchanged: str, live: Sequence[Span] = ()) -> PackView:
    """The pack that pays for a session at `start`. Raises BookingRefused if none can be there."""
    now = now_seconds()
    if start.microsecond:
        reason = "not_a_slot"
        demand(refusal("slot_not_offered", unchanged, why=rules.SLOT_REASONS[reason], reason=reason))
    demand(rules.refusal_at(situation, now, _seconds(start), unchanged, live))
    pack = rules.paying(situation.packs, now, _seconds(start))
    if pack is None:
        raise AssertionError("a slot was offered that no pack pays for")
    return pack


async def insert(
    uow: UnitOfWork, mentor: MentorView, pack: PackView, start: datetime, sync: EventSync
) -> SessionFacts:
    """A new session of the asking student's from `start` (UTC) on, within the caller's transaction.

    Nobody is told of the booking, both are reminded of the session.
    """
    session = SessionFacts(
        id=new_id(),
        mentor_id=mentor.id,
        student_id=uow.user_id,
        pack_id=pack.id,
        start=start,
        end=_instant(_seconds(start) + mentor.session_minutes * 60),
        status=SessionStatus.SCHEDULED,
    )
    values = {
        "id": session.id,
        "mentor_id": session.mentor_id,
        "student_id": session.student_id,
        "pack_id": session.pack_id,
        "booked_at": clock.now(),
        "event_sync": sync,
        **times(mentor, start),
    }
    await repository.add(uow.session, values)
    await remind(uow, session, start_version=0)
    return session


def times(mentor: MentorView, start: datetime) -> dict[str, object]:
    """A session's start, end and blocked range by the mentor's rules of now."""
    since, until = slots.blocked_range(mentor.rules, _seconds(start))
    return {
        "scheduled_at": start,
        "ends_at": _instant(_seconds(start) + mentor.session_minutes * 60),
        "blocked": Range(_instant(since), _instant(until)),
    }


def now_seconds() -> int:
    """Business time in epoch seconds."""
    return int(clock.now().timestamp())


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
