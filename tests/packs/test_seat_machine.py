"""Random lives of seats, step by step: capacity, one seat a pair and the queue's order hold after every step.

Capacity is checked from the append-only history, replayed in the order of its changes. The seed is part of
the test's name; SEAT_SEEDS and SEAT_STEPS make it longer.
"""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.core import clock
from app.core.errors import NotFound, Refused
from app.packs.models import SeatStatus
from tests.packs.support import SeatDesk

SEEDS = range(int(os.environ.get("SEAT_SEEDS", "3")))
STEPS = int(os.environ.get("SEAT_STEPS", "220"))
STUDENTS = 7
REFUSALS = {"sold_out", "has_seat", "seat_free", "not_waiting"}


class Machine:
    """One mentor's seats, and who happens to want them."""

    def __init__(self, desk: SeatDesk, chance: random.Random, students: list[UUID], now: datetime) -> None:
        self.desk, self.chance, self.students, self.now = desk, chance, students, now
        self.capacities = [3]
        self.refusals: set[str] = set()
        self.sizes: list[int] = []  # of the history, at each change of the capacity

    async def step(self) -> str:
        """Do something to somebody; a rule may say no."""
        who = self.chance.choice(self.students)
        steps: list[tuple[int, Callable[[UUID], Awaitable[object]]]] = [
            (5, self.desk.join),
            (3, self.desk.hold),
            (1, self.desk.hold_again),
            (2, self.desk.give_back),
            (2, self.desk.take),
            (2, self.desk.leave),
            (3, self.grace),
            (2, self.release),
            (4, lambda _: self.desk.offer()),
            (3, lambda _: self.pass_time()),
            (1, lambda _: self.resize()),
        ]
        (step,) = self.chance.choices([step for _, step in steps], [weight for weight, _ in steps])
        with clock.standing_at(self.now):
            try:
                await step(who)
            except Refused as error:
                self.refusals.add(error.code)
            except NotFound:
                self.refusals.add("not_waiting")
        self.now += timedelta(minutes=1)
        return getattr(step, "__name__", "")

    async def grace(self, who: UUID) -> None:
        """The last session was used."""
        if await self.desk.status(who) is SeatStatus.ACTIVE:
            await self.desk.sql(
                "update seat_reservations set status = 'grace', seat_expires_at = :until, changed_at = :now"
                " where student_id = :id and status = 'active'",
                until=self.now + timedelta(hours=72),
                now=self.now,
                id=who,
            )

    async def release(self, who: UUID) -> None:
        """The pack expired."""
        if await self.desk.status(who) in (SeatStatus.ACTIVE, SeatStatus.GRACE):
            await self.desk.release(who)

    async def pass_time(self) -> None:
        """Some hours go by; what is over ends."""
        self.now += timedelta(hours=self.chance.choice([1, 12, 25, 73]))
        with clock.standing_at(self.now):
            await self.desk.expire()

    async def resize(self) -> None:
        """The mentor takes more or fewer mentees at once."""
        self.capacities.append(self.chance.randint(1, 4))
        self.sizes.append(len(await self.desk.history()))
        await self.desk.capacity(self.capacities[-1])


async def check(machine: Machine) -> None:
    """Every invariant of seats and waitlist, as the tables have them."""
    desk = machine.desk
    live = await desk.seats()
    pairs = [seat.student_id for seat in live]
    assert len(pairs) == len(set(pairs)), "one live seat a pair"
    places = await desk.places(left=False)
    kept = {SeatStatus.ACTIVE, SeatStatus.GRACE}
    assert not {seat.student_id for seat in live if seat.status in kept} & set(places), (
        "who has one waits not"
    )
    for seat in live:
        if seat.status is SeatStatus.OFFERED:
            assert places[seat.student_id].offered_at is not None, "offers are for who waits"
    await replay(machine)


async def replay(machine: Machine) -> None:
    """The history never shows a seat taken beyond the capacity of that moment."""
    live: set[UUID] = set()
    bounds = [*machine.sizes, float("inf")]
    era = 0
    for number, (seat_id, status) in enumerate(await machine.desk.history()):
        while number >= bounds[era]:
            era += 1
        if status is SeatStatus.RELEASED:
            live.discard(seat_id)
        elif seat_id not in live:
            live.add(seat_id)
            assert len(live) <= machine.capacities[era], f"change {number} took a seat that wasn't there"
    assert live == {seat.id for seat in await machine.desk.seats()}


async def check_queue(machine: Machine, waited: list[UUID]) -> None:
    """Offers made just now went to those who had waited longest."""
    with clock.standing_at(machine.now):
        offered = await machine.desk.offer()
    live = {seat.student_id: seat.status for seat in await machine.desk.seats()}
    assert [live.get(id_) for id_ in waited[:offered]] == [SeatStatus.OFFERED] * offered
    assert not any(id_ in live for id_ in waited[offered:])


@pytest.mark.parametrize("seed", SEEDS)
async def test_seats_are_never_more_and_the_queue_is_kept(desk: SeatDesk, seed: int) -> None:
    chance = random.Random(seed)
    students = [*await desk.newcomers(STUDENTS - 1), desk.cast["student"]]
    machine = Machine(desk, chance, students, clock.now())
    done = set()
    for _ in range(STEPS):
        done.add(await machine.step())
        await check(machine)
        if chance.random() < 0.2:
            seated = {seat.student_id for seat in await desk.seats()}
            places = await desk.places(left=False)
            waited = [id_ for id_, place in places.items() if place.offered_at is None and id_ not in seated]
            await check_queue(machine, waited)
            await check(machine)
    assert {"join", "hold", "take", "leave", "grace"} <= done
    statuses = {status for _, status in await desk.history()}
    assert (statuses, machine.refusals) == (set(SeatStatus), REFUSALS), "the walk went everywhere"
