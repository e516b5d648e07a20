"""Random lives of packs, an admin's hand among them: ledger, checks and the seat's rule hold after every step.

ADJUST_SEEDS and ADJUST_STEPS make it longer.
"""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.booking.cancel import cancel_of_pack
from app.booking.models import SessionStatus
from app.calendars.google import Google
from app.core import clock
from app.core.db import Database
from app.core.errors import AppError
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.packs import adjusting, by_hand, repository, seats
from app.packs import service as packs
from app.packs.models import PackStatus, SeatStatus
from app.settings import Settings
from tests.booking.support import Desk
from tests.cast import Cast
from tests.packs.by_hand import WHY, adjust, as_admin, broken

SEEDS = range(int(os.environ.get("ADJUST_SEEDS", "3")))
STEPS = int(os.environ.get("ADJUST_STEPS", "110"))
START = datetime.fromisoformat("2026-11-23T06:00:00+00:00")


class Machine:
    """The student, their mentor, an admin and time."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self.desk, self.chance, self.now = desk, chance, START
        self.refusals: set[str] = set()

    async def step(self) -> str:
        """Do something; a rule may say no."""
        steps: list[tuple[int, Callable[[], Awaitable[object]]]] = [
            (7, self.book),
            (5, self.hold_one),
            (2, self.cancel),
            (2, self.undo),
            (6, self.adjust),
            (2, self.move_expiry),
            (1, self.grant),
            (1, self.release),
            (1, self.refund),
            (3, self.pass_time),
        ]
        (step,) = self.chance.choices([step for _, step in steps], [weight for weight, _ in steps])
        with clock.standing_at(self.now):
            try:
                await step()
            except AppError as error:
                self.refusals.add(error.code)
        self.now += timedelta(minutes=1)
        return step.__name__

    async def book(self) -> None:
        offers = await self.desk.offers("student", days=10)
        if offers:
            await self.desk.book("student", self.chance.choice(offers))

    async def hold_one(self) -> None:
        scheduled = await self.desk.scheduled()
        if scheduled:
            session = self.chance.choice(scheduled)
            self.now = max(self.now, session.scheduled_at + timedelta(minutes=61))
            status = self.chance.choice([SessionStatus.COMPLETED, SessionStatus.NO_SHOW])
            with clock.standing_at(self.now):
                await self.desk.mark(self.chance.choice(["mentor", "admin"]), session.id, status)

    async def cancel(self) -> None:
        scheduled = await self.desk.scheduled()
        if scheduled:
            who = self.chance.choice(["student", "mentor", "admin"])
            session = self.chance.choice(scheduled)
            if who == "student":
                await self.desk.cancel(who, session.id)
            else:
                await self.desk.mark(who, session.id, SessionStatus.CANCELED)

    async def undo(self) -> None:
        marked = await self.desk.sql("select id from sessions where status <> 'scheduled' order by id")
        if marked:
            who = self.chance.choice(["mentor", "admin"])
            await self.desk.mark(who, self.chance.choice(marked).id, SessionStatus.SCHEDULED)

    async def adjust(self) -> None:
        delta = self.chance.choice([-3, -2, -1, -1, 1, 1, 2])
        stale = self.chance.random() < 0.1
        await adjust(self.desk.database, self.desk.cast, await self.pack(), delta, 77 if stale else None)

    async def move_expiry(self) -> None:
        pack_id = await self.pack()
        seen = (await self.desk.pack(pack_id)).expires_at
        day = (self.now + timedelta(days=self.chance.randint(-1, 60))).date()
        async with as_admin(self.desk.database, self.desk.cast) as uow:
            await adjusting.change_expiry(uow, pack_id, day, "Asia/Kolkata", reason=WHY, seen=seen)

    async def grant(self) -> None:
        ids = self.desk.cast
        async with as_admin(self.desk.database, ids) as uow:
            key = f"form:{new_id()}"
            await by_hand.grant_pack(
                uow, ids["mentor"], ids["student"], sessions=2, days=30, reason=WHY, key=key
            )

    async def release(self) -> None:
        rows = await self.desk.sql(
            "select id, status from seat_reservations where status <> 'released' and student_id = :id",
            id=self.desk.cast["student"],
        )
        for row in rows:
            async with as_admin(self.desk.database, self.desk.cast) as uow:
                await by_hand.release_seat(uow, row.id, reason=WHY, seen=SeatStatus(row.status))

    async def refund(self) -> None:
        """What a refund does to a pack; sometimes it fails afterwards."""
        pack_id, ids = await self.pack(), self.desk.cast
        async with self.desk.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            await seats.lock_mentor(uow, ids["mentor"])
            await seats.lock_pair(uow, ids["mentor"], ids["student"])
            await cancel_of_pack(uow, pack_id)
            pack = await repository.pack_by_id(uow.session, pack_id)
            assert pack is not None
            left = pack.remaining_sessions
            if pack.status is PackStatus.REFUNDED:
                return
            await packs.void(uow, pack, left)
            if left and self.chance.random() < 0.6:
                await packs.revive(uow, pack, left)

    async def pass_time(self) -> None:
        self.now += timedelta(hours=self.chance.choice([2, 30, 80]))
        ids = await self.desk.sql("select id from seat_reservations where status <> 'released'")
        with clock.standing_at(self.now):
            for row in ids:
                async with self.desk.database.service(ServiceDoor.JOB) as uow, uow.transaction():
                    await seats.expire(uow, row.id)

    async def pack(self) -> UUID:
        rows = await self.desk.sql(
            "select id from session_packs where student_id = :id order by id", id=self.desk.cast["student"]
        )
        return self.chance.choice(rows).id  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_step_breaks_an_invariant(
    database: Database, settings: Settings, cast: Cast, seed: int
) -> None:
    chance = random.Random(seed)
    machine = Machine(Desk(database, Google(settings), cast), chance)
    await machine.desk.sql(
        "update session_packs set purchased_at = :at, expires_at = :until",
        at=START,
        until=START + timedelta(days=45),
    )
    done: set[str] = set()
    for number in range(STEPS):
        name = await machine.step()
        done.add(name)
        assert await broken(database) == [], (seed, number, name)
    assert {"book", "hold_one", "adjust", "cancel", "undo"} <= done
    assert len(machine.refusals & {"sessions_in_use", "pack_changed", "pack_ended", "cannot_undo"}) >= 2
    (line,) = await machine.desk.sql("select count(*) from pack_entries where kind = 'adjust'")
    assert line[0] > 0
