"""Webhooks as the world sends them: shuffled, one to five times each, freshly signed, through HTTP.

However they come, the state at the end is that of the clean sequence. STORM_DELIVERIES says how many deliveries at
least (a soak: 2,000), STORM_SEED repeats a run's choices.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
from typing import Any
from uuid import UUID

import httpx

from app.asgi import create_app
from app.payments.gateway import Provider
from tests.payments.shop import Letter, Shop
from tests.support.sandbox import serving
from tests.support.waiting import until

DELIVERIES = int(os.environ.get("STORM_DELIVERIES") or 60)
SEED = int(os.environ.get("STORM_SEED") or random.randrange(1 << 32))
FATES = (
    "paid",
    "paid",
    "declined",
    "late",
    "failed late",
    "refunded",
    "partly refunded",
    "lost",
    "won",
    "left",
)
PER_ORDER = 6
STATE = """
    select o.provider, o.status, o.flag, o.original_amount, o.total_amount, p.status, p.amount, p.refunded_amount, p.dispute,
           k.status, k.frozen, k.remaining_sessions, s.status,
           (select coalesce(array_agg(r.amount || ' ' || r.status || ' ' || r.origin order by r.amount), '{}')
              from refunds r where r.order_id = o.id),
           (select coalesce(array_agg(e.kind || ' ' || e.delta order by e.kind), '{}')
              from pack_entries e where e.pack_id = k.id)
      from orders o
      left join payments p on p.order_id = o.id
      left join session_packs k on k.id = o.pack_id
      left join seat_reservations s on s.student_id = o.student_id and s.mentor_id = o.mentor_id
                                   and s.status <> 'released'
     where o.student_id = any(:students) order by o.student_id
"""


class Season:
    """Purchases with their fates: `act` does at the vendors what their buyers and clerks do."""

    def __init__(self, shop: Shop, fates: list[str]) -> None:
        self.shop = shop
        self.fates = fates
        self.students: list[UUID] = []
        self.orders: list[UUID] = []

    async def open(self, product: UUID) -> None:
        for number in range(len(self.fates)):
            student = await self.shop.student(number)
            started = await self.shop.start(student, product, list(Provider)[number % 2])
            self.students.append(student)
            self.orders.append(started.order_id)

    async def act(self) -> None:
        for order_id, fate in zip(self.orders, self.fates, strict=True):
            order = await self.shop.order(order_id)
            if fate == "left":
                continue
            outcome = {"declined": "declined", "late": "pending", "failed late": "pending"}.get(
                fate, "completed"
            )
            await self.shop.settle(order_id, outcome=outcome)
            if order.provider is Provider.PAYPAL:
                # Nothing is captured before we are told: the buyer's return does what a webhook would.
                await self.shop.look(order_id)
            await self._later(order, fate)

    async def _later(self, order: Any, fate: str) -> None:
        control, stripe = self.shop.sandbox.control, order.provider is Provider.STRIPE
        paid = self._payment_of(order)
        if fate in ("late", "failed late"):
            subject = {"session_id": order.provider_session_id} if stripe else {"capture_id": paid}
            control.call("POST", f"/{order.provider}/settle", {**subject, "succeed": fate == "late"})
            return
        subject = {"payment_intent" if stripe else "capture_id": paid}
        if fate == "refunded":
            control.call("POST", f"/{order.provider}/refund", subject)
        elif fate == "partly refunded":
            control.call(
                "POST", f"/{order.provider}/refund", {**subject, "amount": 2_500 if stripe else "25.00"}
            )
        elif fate in ("lost", "won"):
            told = control.call("POST", f"/{order.provider}/dispute", subject)
            id_ = told.get("id") or told.get("dispute_id")
            name = "dispute" if stripe else "dispute_id"
            control.call("POST", f"/{order.provider}/dispute/close", {name: id_, "won": fate == "won"})

    def _payment_of(self, order: Any) -> str:
        control = self.shop.sandbox.control
        if order.provider is Provider.STRIPE:
            sessions = control.call("GET", "/stripe/sessions")["items"]
            found = next(one for one in sessions if one["id"] == order.provider_session_id)
            intent = found["payment_intent"]
            return str(intent if isinstance(intent, str) or intent is None else intent["id"])
        captures = control.call("GET", "/paypal/captures")["items"]
        return next((str(one["id"]) for one in captures if one["custom_id"] == str(order.id)), "")

    async def state(self) -> list[Any]:
        rows = await self.shop.sql(STATE, students=self.students)
        return [tuple(row) for row in rows]


async def season(shop: Shop, fates: list[str]) -> Season:
    played = Season(shop, fates)
    await played.open(await shop.product(price=9_999))
    return played


async def post(url: str, letters: list[Letter]) -> list[int]:
    """Deliver over HTTP, twenty at a time; the statuses."""
    gate = asyncio.Semaphore(20)
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def deliver(letter: Letter) -> int:
            headers = {
                name: value
                for name, value in letter.headers.items()
                if name not in ("host", "content-length")
            }
            async with gate:
                path = f"/api/webhooks/{letter.provider}"
                return (await client.post(path, content=letter.body, headers=headers)).status_code

        return await asyncio.gather(*(deliver(letter) for letter in letters))


async def everything_told(shop: Shop, before: int = 0) -> list[Letter]:
    """All webhooks of the vendors but the `before` that were read already, once each, in order."""
    await until(lambda: len(shop.letterbox.letters) >= told(shop) - before, within=120, what="every webhook")
    return shop.letterbox.take()


def told(shop: Shop) -> int:
    """How many events the vendors had to tell."""
    return sum(len(shop.sandbox.control.call("GET", f"/{name}/events")["items"]) for name in Provider)


async def test_a_storm_of_webhooks_ends_as_the_clean_sequence(shop: Shop) -> None:
    dice = random.Random(SEED)
    count = max(len(FATES), DELIVERIES // PER_ORDER)
    fates = [FATES[number % len(FATES)] for number in range(count)]
    await shop.seats(10_000)
    settings = dataclasses.replace(shop.platform.settings, limits_scale=100_000.0, log_level="ERROR")
    with serving(create_app(settings)) as url:
        clean = await season(shop, fates)
        await clean.act()
        letters = await everything_told(shop)
        assert set(await post(url, letters)) == {200}
        await shop.work()
        expected = await clean.state()
        assert await clean.state() == expected

        stormy = await season(shop, fates)
        await stormy.act()
        letters = await everything_told(shop, before=len(letters))
        storm = await redelivered(shop, letters, dice)
        dice.shuffle(storm)
        for part in range(0, len(storm), 200):
            statuses = await post(url, storm[part : part + 200])
            assert set(statuses) == {200}, SEED
            await shop.work(shuffle=dice)
        assert len(storm) >= DELIVERIES, len(storm)
        assert await stormy.state() == expected, SEED
        assert await clean.state() == expected, SEED


async def redelivered(shop: Shop, letters: list[Letter], dice: random.Random) -> list[Letter]:
    """Each letter one to five times; about half of the copies are signed anew by the vendor, as weeks later."""
    storm: list[Letter] = []
    for letter in letters:
        storm += [letter] * dice.randint(1, 3)
    for provider in Provider:
        shop.sandbox.control.call("POST", f"/{provider}/redeliver", {"times": 2, "shuffle": True})
    await until(lambda: len(shop.letterbox.letters) >= 2 * told(shop), within=120, what="redeliveries")
    return storm + shop.letterbox.take()
