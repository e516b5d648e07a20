"""Random lives of packs and seats, with workers that come in time or days late: the same as a model of the rules expects.

After every piece of work: who was told what and what was skipped why, every pack, every seat, and the invariants. The
seed is part of the test's name; LIFE_SEEDS and LIFE_STEPS make it longer.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from app.booking.models import SessionStatus
from app.core.errors import AppError, Refused
from tests.packs.by_hand import CROWDED
from tests.packs.expected import Expected, Pack
from tests.packs.studio import DAY, HOUR, Studio

SEEDS = range(int(os.environ.get("LIFE_SEEDS", "3")))
STEPS = int(os.environ.get("LIFE_STEPS", "90"))
STUDENTS = ("student", "other_student", "new_student")
KINDS = (
    "renewal_reminder",
    "final_renewal_notice",
    "grace_warning",
    "pack_expiring_week",
    "pack_expiring_day",
    "pack_expired",
    "seat_released",
    "seat_offered",
    "offer_lapsed",
)
# What the ledger says: no pack has more or less than its lines, nor sessions that nobody pays for.
BROKEN = """
select k.id from session_packs k
 where k.remaining_sessions <> coalesce((select sum(e.delta) from pack_entries e where e.pack_id = k.id), 0)
    or k.scheduled_sessions > k.remaining_sessions
    or (k.status = 'active') <> (k.remaining_sessions > 0 and k.status not in ('expired', 'refunded'))
    or (k.status = 'expired' and k.remaining_sessions > 0)
"""


class Machine:
    """The studio and what is expected of it, side by side."""

    def __init__(self, studio: Studio, chance: random.Random, capacity: int) -> None:
        self.studio, self.chance = studio, chance
        self.expected = Expected(capacity)
        self.packs: dict[UUID, Pack] = {}
        self.booked: dict[UUID, Pack] = {}
        self.marked: dict[UUID, tuple[Pack, SessionStatus]] = {}
        self.log: list[str] = []

    async def step(self) -> None:
        """Do something; a rule may say no, to both."""
        deeds: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (8, self.buy),
            (4, self.book),
            (10, self.use),
            (6, self.mark),
            (3, self.undo),
            (4, self.adjust),
            (3, self.move_expiry),
            (2, self.leave_days),
            (1, self.freeze),
            (1, self.refund),
            (4, self.hold),
            (3, self.give_back),
            (2, self.join),
            (4, self.wait),
            (5, self.pass_time),
            (2, self.sleep),
        ]
        (deed,) = self.chance.choices([one for _, one in deeds], [weight for weight, _ in deeds])
        self.log.append(f"{self.studio.now:%d %H:%M} {deed.__name__}")
        self.studio.now += timedelta(minutes=1)
        try:
            await deed()
        except AppError as error:
            self.log[-1] += f" ({error.code})"
        if self.chance.random() < 0.7:
            await self.work()

    async def work(self) -> None:
        await self.studio.work()
        self.expected.work(self.studio.now)

    async def check(self) -> None:
        """Everything that is, and everything that was told."""
        told = Counter(await self.studio.told(*KINDS))
        expected = Counter(self.expected.told)
        assert told == expected, (told - expected, expected - told, self.log[-25:])
        for id_, pack in self.packs.items():
            row = await self.studio.pack(id_)
            is_ = (
                row.status,
                row.total_sessions,
                row.remaining_sessions,
                row.scheduled_sessions,
                row.expires_at,
            )
            assert is_ == (pack.state, pack.total, pack.left, pack.booked, pack.ends), self.log[-25:]
        for who in STUDENTS:
            seat = self.expected.seats.get(who)
            assert await self.studio.seat(who) == (seat and (seat.state, seat.until)), (who, self.log[-25:])
        assert await self.studio.sql(BROKEN) == [], self.log[-25:]
        assert await self.studio.sql(CROWDED) == [], self.log[-25:]

    async def buy(self) -> None:
        who, sessions, days = self._who(), self.chance.choice([1, 1, 2, 4]), self.chance.choice([3, 10, 45])
        could = self.expected.can_buy(who)
        try:
            id_ = await self.studio.buy(who, sessions, days)
        except Refused:
            assert not could, self.log[-25:]
            raise
        assert could, self.log[-25:]
        self.packs[id_] = self.expected.buy(who, sessions, days, self.studio.now)

    async def book(self) -> None:
        """As booking allows: from a pack that can be used, a session before its end."""
        open_ = self._open()
        if open_:
            id_, pack = self.chance.choice(open_)
            start = self.studio.now + (pack.ends - self.studio.now) * self.chance.random()
            with suppress(IntegrityError):  # the mentor, or the student, has another session then
                self.booked[await self.studio.book(id_, start.replace(microsecond=0))] = pack
                pack.booked += 1

    async def use(self) -> None:
        """A session is held at once."""
        open_ = self._open()
        if open_:
            id_, pack = self.chance.choice(open_)
            begun, self.studio.now = self.studio.now, self.studio.now + HOUR
            with suppress(IntegrityError):
                session_id = await self.studio.book(id_, begun)
                pack.booked += 1
                self.booked[session_id] = pack
                await self._spend(session_id, SessionStatus.COMPLETED)

    async def mark(self) -> None:
        begun = await self.studio.sql(
            "select id from sessions where status = 'scheduled' and scheduled_at <= :now order by id",
            now=self.studio.now,
        )
        if begun:
            status = self.chance.choice([SessionStatus.COMPLETED, SessionStatus.NO_SHOW])
            await self._spend(self.chance.choice(begun).id, status)

    async def _spend(self, session_id: UUID, status: SessionStatus) -> None:
        await self.studio.mark(session_id, status)
        pack = self.booked.pop(session_id)
        self.marked[session_id] = (pack, status)
        self.expected.spend(pack, self.studio.now)

    async def undo(self) -> None:
        """Undone, or marked otherwise."""
        if not self.marked:
            return
        id_ = self.chance.choice(sorted(self.marked))
        pack, was = self.marked[id_]
        status = self.chance.choice([SessionStatus.SCHEDULED, SessionStatus.COMPLETED, SessionStatus.NO_SHOW])
        if status is was:
            return
        await self.studio.mark(id_, status)
        if status is SessionStatus.SCHEDULED:
            self.booked[id_] = pack
            del self.marked[id_]
            self.expected.undo(pack, self.studio.now)
        else:
            self.marked[id_] = (pack, status)
            self.expected.remark(pack, self.studio.now)

    async def adjust(self) -> None:
        id_, pack = self._pack()
        delta = self.chance.choice([-2, -1, -1, 1, 1, 3])
        await self.studio.adjust(id_, delta)
        self.expected.adjust(pack, delta, self.studio.now)

    async def move_expiry(self) -> None:
        id_, pack = self._pack()
        day = (self.studio.now + timedelta(days=self.chance.choice([0, 1, 2, 8, 20]))).date()
        ends = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)
        if ends == pack.ends:
            return
        await self.studio.move_expiry(id_, day)
        self.expected.move_expiry(pack, ends, self.studio.now)

    async def leave_days(self) -> None:
        id_, pack = self._pack()
        if pack.state == "active" and pack.ends > self.studio.now:
            await self.studio.leave_days(id_, 14)
            self.expected.leave(pack, 14 * DAY, self.studio.now)

    async def freeze(self) -> None:
        id_, pack = self._pack()
        if pack.state != "refunded":
            await self.studio.freeze(id_, not pack.frozen)
            self.expected.freeze(pack, not pack.frozen, self.studio.now)

    async def refund(self) -> None:
        id_, pack = self._pack()
        if pack.state == "refunded":
            return
        await self.studio.refund(id_)
        self.booked = {session: of for session, of in self.booked.items() if of is not pack}
        self.expected.refund(pack, self.studio.now)

    async def hold(self) -> None:
        seats = [one.who for one in self.expected.seats.values() if one.state in ("active", "grace")]
        if seats:
            who = self.chance.choice(sorted(seats))
            could = self.expected.can_hold(who, self.studio.now)
            try:
                await self.studio.hold(who)
            except Refused:
                assert not could, self.log[-25:]
                raise
            assert could, self.log[-25:]
            self.expected.hold(who, self.studio.now)

    async def give_back(self) -> None:
        held = [one.who for one in self.expected.seats.values() if one.held is not None]
        if held:
            who = self.chance.choice(sorted(held))
            await self.studio.give_back(who)
            self.expected.give_back(who, self.studio.now)

    async def join(self) -> None:
        who = self._who()
        if who not in self.expected.line:
            await self.studio.join(who)
            self.expected.join(who, self.studio.now)

    async def wait(self) -> None:
        """Up to the very instant of what comes next, or a second before or after it."""
        next_ = self.expected.due(self.studio.now + 90 * DAY)
        if next_ is not None and next_ > self.studio.now:
            await self._live(next_ + timedelta(seconds=self.chance.choice([-1, 0, 1])))

    async def pass_time(self) -> None:
        await self._live(self.studio.now + self.chance.choice([HOUR, 13 * HOUR, DAY, 4 * DAY]))

    async def sleep(self) -> None:
        """Nobody works, then everything is done at once."""
        self.studio.now += self.chance.choice([HOUR, 13 * HOUR, DAY, 4 * DAY, 10 * DAY])

    async def _live(self, until: datetime) -> None:
        if until <= self.studio.now:
            return
        await self.work()
        while (due := self.expected.due(until)) is not None:
            await self.studio.live(due)
            self.expected.work(due)
        await self.studio.live(until)

    def _who(self) -> str:
        return self.chance.choice(STUDENTS)

    def _open(self) -> list[tuple[UUID, Pack]]:
        """Packs that can be booked from now."""
        now = self.studio.now
        return [
            (id_, one)
            for id_, one in self.packs.items()
            if one.state == "active" and not one.frozen and one.ends > now and one.left > one.booked
        ]

    def _pack(self) -> tuple[UUID, Pack]:
        if not self.packs:
            raise AppError("nothing was sold yet")
        return self.chance.choice(list(self.packs.items()))


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_happens_is_what_the_rules_expect(studio: Studio, seed: int) -> None:
    capacity = 1 + seed % 3
    await studio.capacity(capacity)
    machine = Machine(studio, random.Random(seed), capacity)
    for _ in range(STEPS):
        await machine.step()
        if machine.chance.random() < 0.3:
            await machine.work()
            await machine.check()
    await machine.work()
    await machine.check()
    told = machine.expected.told
    assert {what for *_, what in told} >= {"told", "outdated"}
    assert len({kind for kind, *_ in told}) >= 5
