"""Whatever people chose, whatever vendors answer, whoever works how often: nothing reaches anybody twice on a channel.

Random lives of two people, the vendors and three workers; the seed is part of a test's name. DELIVERY_SEEDS makes it
longer.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.db import Database
from app.core.ids import new_id
from app.core.outbox import Retry
from app.core.rls import ServiceDoor
from app.notifications.messenger import nonce
from app.notifications.models import Channel, Delivery, DeliveryState, SkipReason
from app.settings import Settings
from tests.notifications.desk import ACCOUNTS, Desk
from tests.support.processes import until

SEEDS = range(int(os.environ.get("DELIVERY_SEEDS", "6")))
EVENTS = 5
OPEN = (DeliveryState.PENDING, DeliveryState.SENDING)
OVER = {Channel.EMAIL: "25 hours", Channel.DISCORD: "3 minutes"}
# Lost answers are the hard ones.
DIALS: tuple[dict[str, Any], ...] = (
    {"error_rate": 1, "status": 503, "after": True, "count": 3},
    {"error_rate": 0.6, "status": 500, "after": True},
    {"error_rate": 0.5, "status": 502},
    {"error_rate": 1, "status": 429, "count": 2},
    {"error_rate": 0.3, "status": 400},
    {"latency_ms": 1000},
    {"latency_ms": 250},
    {},
)


@pytest.fixture
def mail_settings(mail_settings: Settings) -> Settings:
    """Nobody waits long for an answer."""
    return dataclasses.replace(mail_settings, resend_timeout_seconds=0.4, discord_timeout_seconds=0.4)


class Life:
    """Notifications to both people, and what happens around them."""

    def __init__(self, desk: Desk, others: list[Desk], chance: random.Random) -> None:
        self.desk, self.workers, self.chance = desk, [desk, *others], chance
        self.events: list[UUID] = []

    async def choose(self) -> None:
        """What the two have linked, closed, turned off; where their mail bounces."""
        for who in ACCOUNTS:
            await self.desk.link(who, open=self.chance.random() < 0.7)
            if self.chance.random() < 0.4:
                await self.desk.turn_off(self.chance.choice(list(Channel)), who=who)
        if self.chance.random() < 0.1:
            await self.desk.pause(self.chance.choice(list(ACCOUNTS)))

    async def tell(self) -> None:
        """One more notification, and some of what may happen until it is through."""
        self.events.append(new_id())
        for worker in self.workers:
            worker.event_id = self.events[-1]
        self.dial("resend")
        self.dial("discord")
        for _ in range(4):
            await self.chance.choice((self.work, self.work, self.crash, self.crash, self.time_passes))()
            if self.chance.random() < 0.3:
                self.dial(self.chance.choice(("resend", "discord")))
            if self.chance.random() < 0.2:
                self.open_or_close()
        await self.work()

    def dial(self, vendor: str) -> None:
        self.desk.sandbox.control.chaos(vendor, **self.chance.choice(DIALS))

    def open_or_close(self) -> None:
        account = self.chance.choice(list(ACCOUNTS.values()))
        self.desk.sandbox.control.discord_member(account, open=self.chance.random() < 0.6)

    async def crash(self) -> None:
        """A worker dies while it waits for an answer; its claims run out."""
        worker = asyncio.create_task(self.attempt(self.chance.choice(self.workers)))
        await asyncio.wait([worker], timeout=self.chance.uniform(0, 0.2))
        worker.cancel()
        await asyncio.wait([worker])
        await self.desk.change(claimed_until="claimed_until - interval '1 hour'")

    async def time_passes(self) -> None:
        """So long that a vendor has forgotten what it was sent."""
        channel = self.chance.choice(list(Channel))
        self.let_through("resend" if channel is Channel.EMAIL else "discord")
        earlier = {
            "first_attempt_at": sa.text(f"first_attempt_at - interval '{OVER[channel]}'"),
            "claimed_until": sa.text("claimed_until - interval '1 hour'"),
        }
        await self.desk.do(sa.update(Delivery).where(Delivery.channel == channel).values(earlier))
        forget = "/resend/keys/expire" if channel is Channel.EMAIL else "/discord/nonces/expire"
        self.desk.sandbox.control.call("POST", forget)

    def let_through(self, vendor: str) -> None:
        """What dead workers asked, and the vendor still holds back, is done now, not after that time."""
        self.desk.sandbox.control.chaos(vendor)
        done = [-1, -2, -3]
        while len(set(done)) > 1:
            done = [*done[1:], len(self.desk.requests(vendor))]

    async def work(self) -> None:
        """One or several workers at once."""
        at_work = self.chance.sample(self.workers, self.chance.randint(1, len(self.workers)))
        await asyncio.gather(*(self.attempt(worker) for worker in at_work))

    async def attempt(self, worker: Desk) -> None:
        try:
            await worker.send()
        except Retry:
            return

    async def end(self) -> None:
        """All is well again, and somebody works until nothing is left."""
        self.desk.sandbox.control.chaos()

        async def is_over() -> bool:
            await self.desk.do(sa.update(Delivery).values(claimed_until=None))
            for event_id in self.events:
                await self.attempt(dataclasses.replace(self.desk, event_id=event_id))
            return all(row.state not in OPEN for row in await self.rows())

        await until("all is settled", is_over)

    async def rows(self) -> list[Delivery]:
        async with self.desk.database.service(ServiceDoor.JOB) as uow:
            query = sa.select(Delivery).where(Delivery.event_id.in_(self.events))
            return list(await uow.session.scalars(query))

    async def check(self) -> list[Delivery]:
        """Against what arrived."""
        rows = await self.rows()
        assert len({(row.event_id, row.channel, row.recipient_id) for row in rows}) == len(rows)
        arrived = {
            Channel.EMAIL: [(mail["idempotency_key"], mail["id"]) for mail in self.desk.mailbox()],
            Channel.DISCORD: [(direct["nonce"], direct["id"]) for direct in self.desk.direct()],
        }
        for row in rows:
            key = str(row.id) if row.channel is Channel.EMAIL else nonce(row.id)
            ids = [id_ for known, id_ in arrived[row.channel] if known == key]
            arrived[row.channel] = [one for one in arrived[row.channel] if one[0] != key]
            assert len(ids) <= 1, f"{row.channel} came {len(ids)} times"
            if row.state is DeliveryState.SENT:
                assert ids == [row.provider_id]
            elif row.state is not DeliveryState.UNCERTAIN:
                assert ids == [], f"{row.channel} is {row.state} and came"
        assert not any(arrived.values()), "what nobody wrote down"
        self.check_stand_ins(rows)
        return rows

    def check_stand_ins(self, rows: list[Delivery]) -> None:
        """Whose Discord turned out to be closed got the mail they had turned off."""
        closed = {(row.event_id, row.recipient_id) for row in rows if row.reason == SkipReason.CLOSED}
        for row in rows:
            if row.channel is Channel.EMAIL and (row.event_id, row.recipient_id) in closed:
                assert row.reason != SkipReason.TURNED_OFF


@pytest.fixture
async def others(desk: Desk, settings: Settings) -> AsyncIterator[list[Desk]]:
    """Two more workers, each with connections of its own."""
    databases = [Database(settings), Database(settings)]
    yield [dataclasses.replace(desk, database=database) for database in databases]
    for database in databases:
        await database.dispose()


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_comes_twice(desk: Desk, others: list[Desk], seed: int) -> None:
    life = Life(desk, others, random.Random(seed))
    await life.choose()
    for _ in range(EVENTS):
        await life.tell()
    await life.end()
    rows = await life.check()
    assert len({row.state for row in rows}) > 1, "a life without any trouble shows nothing"
