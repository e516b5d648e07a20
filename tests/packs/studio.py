"""A mentor's packs, seats and waitlist with a worker that works when it is told to, on a clock that is set by hand.

No vendor is asked: no channel is configured, so that what would be sent is recorded as `not_configured`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.booking import mark
from app.booking.cancel import cancel_of_pack
from app.booking.models import SessionStatus
from app.core import clock, outbox
from app.core.db import Database
from app.core.ids import new_id
from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.packs import adjusting, repository, seats, service, waitlist
from app.packs.models import EntryKind, PackStatus, SeatStatus, SessionPack
from app.wiring import Platform
from jobs.events import EVENTS
from tests.cast import Cast
from tests.packs.by_hand import WHY, as_admin

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_NEXT = sa.text(
    "update outbox set state = 'queued', queued_at = now() where id = (select id from outbox where state = 'new'"
    " and available_at <= :now order by available_at, id limit 1 for update skip locked) returning id"
)
_DUE = sa.text("select min(available_at) from outbox where state = 'new' and available_at <= :until")
_TOLD = sa.text(
    "select o.payload, d.kind, d.recipient_id, d.reason, d.created_at from deliveries d join outbox o on o.id = d.event_id"
    " order by d.id"
)


@dataclass
class Studio:
    """Does what people and time do to the mentor of the cast. `now` is business time."""

    platform: Platform
    cast: Cast
    now: datetime
    names: dict[UUID, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names |= {id_: name for name, id_ in self.cast.ids.items()}

    @property
    def database(self) -> Database:
        return self.platform.database

    @property
    def mentor_id(self) -> UUID:
        return self.cast["mentor"]

    # People

    async def buy(self, who: str, sessions: int, days: int, kind: EntryKind = EntryKind.PURCHASE) -> UUID:
        """A paid order's pack, or a granted one. Raises Refused."""
        with clock.standing_at(self.now):
            async with self.database.service(ServiceDoor.WEBHOOK) as uow, uow.transaction():
                return await service.add(
                    uow,
                    mentor_id=self.mentor_id,
                    student_id=self.cast[who],
                    sessions=sessions,
                    validity_days=days,
                    kind=kind,
                )

    async def book(self, pack_id: UUID, start: datetime) -> UUID:
        """A session of the pack, an hour from `start`."""
        pack, id_ = await self.pack(pack_id), new_id()
        await self.sql(
            "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, booked_at, version,"
            " notes, recording_consent, event_generation, event_sync, blocked)"
            " values (:id, :mentor, :student, :pack, 'scheduled', :start, :end, :now, 0, '', false, 0, 'none',"
            " tstzrange(:start, :end))",
            id=id_,
            mentor=pack.mentor_id,
            student=pack.student_id,
            pack=pack_id,
            start=start,
            end=start + HOUR,
            now=self.now,
        )
        return id_

    async def mark(self, session_id: UUID, status: SessionStatus) -> None:
        """The mentor marks a session, or undoes it. Raises BookingRefused."""
        with clock.standing_at(self.now):
            async with self.database.unit_of_work(self.cast.principal("mentor")) as uow:
                await mark.mark(uow, session_id, status)

    async def use(self, pack_id: UUID, times: int = 1) -> list[UUID]:
        """Sessions held in the past hours, and marked so."""
        held = []
        for _ in range(times):
            self.now += HOUR
            held.append(await self.book(pack_id, self.now - HOUR))
            await self.mark(held[-1], SessionStatus.COMPLETED)
        return held

    async def adjust(self, pack_id: UUID, delta: int) -> None:
        """An admin adds or removes sessions. Raises Refused."""
        change = adjusting.add_sessions_to_pack if delta > 0 else adjusting.remove_sessions_from_pack
        seen = (await self.pack(pack_id)).remaining_sessions
        with clock.standing_at(self.now):
            async with as_admin(self.database, self.cast) as uow:
                await change(uow, pack_id, abs(delta), reason=WHY, seen=seen)

    async def move_expiry(self, pack_id: UUID, day: date) -> None:
        """An admin lets a pack end with a day. Raises Refused."""
        seen = (await self.pack(pack_id)).expires_at
        with clock.standing_at(self.now):
            async with as_admin(self.database, self.cast) as uow:
                await adjusting.change_expiry(uow, pack_id, day, "UTC", reason=WHY, seen=seen)

    async def leave_days(self, pack_id: UUID, days: int) -> None:
        """What a mentor's cancellation leaves."""
        with clock.standing_at(self.now):
            async with self.database.unit_of_work(self.cast.principal("mentor")) as uow, uow.transaction():
                await service.leave_days(uow, pack_id, days)

    async def refund(self, pack_id: UUID) -> int:
        """What a refund, or a lost dispute, does to a pack; how many sessions went."""
        with clock.standing_at(self.now):
            async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
                found = await self.pack(pack_id)
                await seats.lock_mentor(uow, found.mentor_id)
                await seats.lock_pair(uow, found.mentor_id, found.student_id)
                await cancel_of_pack(uow, pack_id)
                pack = await repository.pack_by_id(uow.session, pack_id)
                assert pack is not None
                left = pack.remaining_sessions
                if pack.status is not PackStatus.REFUNDED:
                    await service.void(uow, pack, left)
                return left

    async def revive(self, pack_id: UUID, sessions: int) -> bool:
        """A refund failed."""
        with clock.standing_at(self.now):
            async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
                found = await self.pack(pack_id)
                await seats.lock_mentor(uow, found.mentor_id)
                pair = await seats.lock_pair(uow, found.mentor_id, found.student_id)
                pack = next(pack for pack in pair.packs if pack.id == pack_id)
                return await service.revive(uow, pack, sessions)

    async def freeze(self, pack_id: UUID, frozen: bool) -> None:
        """A dispute is opened, or won."""
        with clock.standing_at(self.now):
            async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
                found = await self.pack(pack_id)
                await seats.lock_pair(uow, found.mentor_id, found.student_id)
                await service.freeze(uow, pack_id, frozen)

    async def hold(self, who: str, minutes: int = 35) -> None:
        """Somebody is at the checkout. Raises Refused."""
        with clock.standing_at(self.now):
            async with self.database.service(ServiceDoor.CHECKOUT) as uow, uow.transaction():
                until = self.now + timedelta(minutes=minutes)
                await seats.hold(uow, self.mentor_id, self.cast[who], until)

    async def give_back(self, who: str) -> None:
        """They went without paying."""
        with clock.standing_at(self.now):
            async with self.database.service(ServiceDoor.CHECKOUT) as uow, uow.transaction():
                await seats.give_back(uow, self.mentor_id, self.cast[who])

    async def join(self, who: str) -> None:
        """Somebody waits. Raises Refused."""
        with clock.standing_at(self.now):
            async with self.database.unit_of_work(self.cast.principal(who)) as uow, uow.transaction():
                await waitlist.join(uow, self.mentor_id, self.cast[who])

    async def capacity(self, number: int) -> None:
        await self.sql(
            "update mentors set max_active_students = :n where id = :id", n=number, id=self.mentor_id
        )

    # Workers and time

    async def work(self) -> None:
        """Perform what is due now, and what comes of it, in its order."""
        with clock.standing_at(self.now):
            while (event_id := await self._next()) is not None:
                await outbox.perform(self.database, event_id, self._handle)
        assert await self.sql("select type, last_error from outbox where last_error is not null") == []

    async def live(self, until: datetime) -> None:
        """Let time pass while a worker is there for everything when it is due."""
        await self.work()
        while (due := await self._due(until)) is not None:
            self.now = max(self.now, due)
            await self.work()
        self.now = until

    async def _next(self) -> UUID | None:
        async with self.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            return (await uow.session.execute(_NEXT, {"now": self.now})).scalar_one_or_none()

    async def _due(self, until: datetime) -> datetime | None:
        async with self.database.service(ServiceDoor.JOB) as uow:
            due: datetime | None = (await uow.session.execute(_DUE, {"until": until})).scalar_one()
            return due

    async def _handle(self, event: Event) -> None:
        await EVENTS[event.type](self.platform, event)

    # What there is

    async def pack(self, pack_id: UUID) -> SessionPack:
        async with self.database.service(ServiceDoor.JOB) as uow:
            return await uow.session.get_one(SessionPack, pack_id)

    async def seat(self, who: str) -> tuple[SeatStatus, datetime | None] | None:
        """Status and end of the pair's live seat."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            seat = await repository.seat_of(uow.session, self.mentor_id, self.cast[who])
            return None if seat is None else (seat.status, seat.seat_expires_at)

    async def told(self, *kinds: str) -> list[tuple[str, str, str]]:
        """(kind, who, "told" or why not) of everybody so far, or of these kinds."""
        rows = await self.deliveries()
        return [
            (row.kind, self.names[row.recipient_id], outcome(row.reason))
            for row in rows
            if not kinds or row.kind in kinds
        ]

    async def deliveries(self) -> Any:
        async with self.database.service(ServiceDoor.JOB) as uow:
            return (await uow.session.execute(_TOLD)).all()

    async def sql(self, statement: str, **values: Any) -> Any:
        """Arrange or ask something that no service does."""
        async with self.database.service(ServiceDoor.SEED) as uow:
            result: Any = await uow.session.execute(sa.text(statement), values)
            rows = result.all() if result.returns_rows else []
            await uow.commit()
            return rows


def outcome(reason: str | None) -> str:
    """What became of a message: without a channel "not configured" is as good as told."""
    return "told" if reason == "not_configured" else str(reason)
