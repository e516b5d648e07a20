"""Random histories of a shop: what buyers, vendors, admins, webhooks, workers and time do, one step after another.

`Machine.step` takes one; `check` holds the domain's invariants against the tables after it; `rest` lets everything
settle and compares with what the vendors know.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx

from app.core import clock
from app.core.errors import AppError
from app.core.rls import ServiceDoor
from app.packs import seats, waitlist
from app.packs import service as packs
from app.payments import reconciliation
from app.payments.gateway import Provider, ProviderRefused, ProviderUnavailable
from tests.payments.shop import Letter, Shop

STUDENTS = 8
MENTORS = ("mentor", "other_mentor")
CODES = ("", "", "", "WELCOME10", "HUNDRED", "NOSUCH")
OUTCOMES = ("completed", "completed", "completed", "declined", "pending")
DURATIONS = ("PT1M", "PT10M", "PT36M", "PT5H", "P1D", "P3D", "P20D")

# Each tells what must never be there.
NEVER = {
    "a balance that isn't the ledger's sum": """
        select k.id from session_packs k where k.remaining_sessions <>
               (select coalesce(sum(e.delta), 0) from pack_entries e where e.pack_id = k.id)""",
    "two live seats of a pair": """
        select mentor_id from seat_reservations where status <> 'released'
         group by mentor_id, student_id having count(*) > 1""",
    "a held seat without an order": """
        select s.id from seat_reservations s where s.status = 'held' and not exists (
               select 1 from orders o where o.mentor_id = s.mentor_id and o.student_id = s.student_id
                  and (o.status = 'pending' or o.capturing_at is not null or o.hold_until > s.changed_at))""",
    "money without a pack, a flag or a refund": """
        select o.id from orders o join payments p on p.order_id = o.id where o.pack_id is null and o.flag is null""",
    "a pack without money": """
        select o.id from orders o left join payments p on p.order_id = o.id
         where o.pack_id is not null and p.id is null""",
    "a sold pack of no order": """
        select k.id from session_packs k where k.product_id is not null
           and (select count(*) from orders o where o.pack_id = k.id) <> 1""",
    "a paid order that doesn't say so": """
        select o.id from orders o join payments p on p.order_id = o.id
         where o.flag is distinct from 'wrong_amount' and o.status not in ('paid', 'partially_refunded', 'refunded')""",
    "a refund that isn't counted": """
        select p.id from payments p where p.refunded_amount <> (select coalesce(sum(r.amount), 0) from refunds r
         where r.payment_id = p.id and r.status <> 'failed')""",
    "a pack that is refunded and can be spent": """
        select id from session_packs where status = 'refunded' and remaining_sessions > 0""",
    "a pack that is expired and can be spent": """
        select id from session_packs where status = 'expired' and remaining_sessions > 0""",
    "a refund of all that leaves a pack": """
        select o.id from orders o join session_packs k on k.id = o.pack_id
         where o.status = 'refunded' and k.status <> 'refunded'""",
}


class Machine:
    """A shop, its dice, and what was done so far."""

    def __init__(self, shop: Shop, dice: random.Random) -> None:
        self.shop = shop
        self.dice = dice
        self.students: list[UUID] = []
        self.products: list[UUID] = []
        self.letters: list[Letter] = []
        self.log: list[str] = []
        self.live: dict[str, int] = {}

    async def open(self) -> None:
        """Students, and packs of several sorts at two mentors."""
        self.students = [await self.shop.student(number) for number in range(STUDENTS)]
        for mentor in MENTORS:
            for price, sessions in ((12_000, 4), (3_333, 1), (9_999, 7)):
                self.products.append(await self.shop.product(price, sessions=sessions, mentor=mentor))

    async def step(self) -> None:
        """Something happens; whoever refuses or can't be reached is part of it."""
        name, weight_of = (
            self.dice.choices(list(ACTIONS), [weight for _, weight in ACTIONS.values()])[0],
            ACTIONS,
        )
        self.log.append(name)
        try:
            await weight_of[name][0](self)
        except (AppError, ProviderUnavailable, ProviderRefused) as error:
            self.log[-1] += f" ({type(error).__name__})"
        except httpx.HTTPStatusError as error:
            if error.response.status_code >= 500:
                raise
            self.log[-1] += " (refused by the vendor)"
        self.letters += self.shop.letterbox.take()

    async def check(self) -> None:
        """Raise AssertionError if an invariant is broken."""
        for what, query in NEVER.items():
            found = await self.shop.sql(query)
            assert not found, (what, found, self.log[-30:])
        for mentor in MENTORS:
            ((capacity, used),) = await self.shop.sql(
                "select m.max_active_students, seats_in_use(m.id) from mentors m where m.id = :id",
                id=self.shop.cast[mentor],
            )
            assert used <= max(capacity, self.live.get(mentor, 0)), (mentor, capacity, used, self.log[-30:])
            self.live[mentor] = used

    async def rest(self) -> None:
        """Vendors are well, every webhook comes, holds run out, all is compared: then both sides agree."""
        self.shop.sandbox.control.chaos()
        await self.shop.deliver(self.letters)
        self.letters = []
        await self._work_through()
        self.shop.advance("PT42M")
        await self._work_through()
        async with self.shop.database.service(ServiceDoor.JOB) as uow:
            run_id = await reconciliation.request(uow)
            await uow.commit()
        await self._work_through()
        assert await self.shop.sql(
            "select 1 from reconciliation_runs where id = :id and finished_at is not null", id=run_id
        )
        await self.check()
        recent = "select id from orders where provider_session_id is not null and created_at > :since"
        for row in await self.shop.sql(recent, since=clock.now() - reconciliation.RECENT):
            await self._compare(row.id)
        assert not await self.shop.sql("select id from orders where status = 'pending'")
        assert not await self.shop.sql("select id from refunds where status = 'requested'")
        over = "status = 'active' and expires_at <= :now and not frozen"
        assert not await self.shop.sql(f"select id from session_packs where {over}", now=clock.now())
        held = await self.shop.sql(
            "select s.*, o.id as order_id, o.status as order_status, o.provider, o.hold_until, o.capturing_at, o.ended_at"
            " from seat_reservations s left join orders o on o.student_id = s.student_id and o.mentor_id = s.mentor_id"
            " where s.status = 'held' order by o.created_at desc"
        )
        assert not held, (held, self.log[-80:])

    async def _work_through(self) -> None:
        """As an admin who tries again what was given up while vendors were out of reach."""
        await self.shop.sql(
            "update outbox set state = 'new', attempts = 0, available_at = created_at where state = 'dead'"
        )
        await self.shop.work()
        self.shop.advance("PT10M")
        await self.shop.work()

    async def _compare(self, order_id: UUID) -> None:
        order, payment = await self.shop.order(order_id), await self.shop.payment(order_id)
        state = await self.shop.cashier.gateway(order.provider).find(order.provider_session_id)
        told = (vars(order), payment and vars(payment), state, self.log[-60:])
        assert (state.status == "paid") == (payment is not None), told
        if payment is None:
            return
        at_vendor = sum(refund.amount for refund in state.refunds if refund.status != "failed")
        assert state.total == payment.amount, told
        assert at_vendor <= payment.amount, told
        if payment.dispute != "lost":
            ((lost,),) = await self.shop.sql(  # by an earlier dispute about the same payment
                "select coalesce(sum(amount), 0) from refunds where payment_id = :id and origin = 'dispute'",
                id=payment.id,
            )
            assert at_vendor == payment.refunded_amount - lost, (lost, *told)

    # What can happen

    async def start(self) -> None:
        provider, code = self.dice.choice(list(Provider)), self.dice.choice(CODES)
        await self.shop.start(self._student(), self.dice.choice(self.products), provider, code)

    async def settle(self) -> None:
        order = await self._order("provider_session_id is not null and paid_at is null")
        await self.shop.settle(order, outcome=self.dice.choice(OUTCOMES))

    async def settle_later(self) -> None:
        provider = self.dice.choice(list(Provider))
        control, succeed = self.shop.sandbox.control, self.dice.random() < 0.7
        if provider is Provider.STRIPE:
            items = control.call("GET", "/stripe/sessions")["items"]
            waiting = [
                {"session_id": one["id"]}
                for one in items
                if one["status"] == "complete" and one["payment_status"] == "unpaid"
            ]
        else:
            items = control.call("GET", "/paypal/captures")["items"]
            waiting = [{"capture_id": one["id"]} for one in items if one["status"] == "PENDING"]
        if waiting:
            control.call("POST", f"/{provider}/settle", {**self.dice.choice(waiting), "succeed": succeed})

    async def look(self) -> None:
        await self.shop.look(await self._order())

    async def walk_away(self) -> None:
        order = await self.shop.order(await self._order())
        await self.shop.walk_away(order.student_id, order.id)

    async def deliver(self) -> None:
        self.dice.shuffle(self.letters)
        now, self.letters = self.letters[:6], self.letters[6:]
        for letter in now:
            await self.shop.deliver([letter] * self.dice.randint(1, 3))
            if self.dice.random() < 0.2:
                self.letters.append(letter)

    async def drop(self) -> None:
        self.letters = self.letters[: len(self.letters) // 2]

    async def work(self) -> None:
        await self.shop.work(shuffle=self.dice)

    async def refund(self) -> None:
        await self.shop.refund(await self._order("paid_at is not null"))

    async def refund_at_vendor(self) -> None:
        payment, subject = await self._payment()
        if payment.amount < 100:
            return
        if self.dice.random() < 0.5:
            part = self.dice.randint(1, payment.amount)
            subject["amount"] = (
                part if payment.provider is Provider.STRIPE else f"{part // 100}.{part % 100:02}"
            )
        self.shop.sandbox.control.call("POST", f"/{payment.provider}/refund", subject)

    async def dispute(self) -> None:
        payment, subject = await self._payment()
        self.shop.sandbox.control.call("POST", f"/{payment.provider}/dispute", subject)

    async def decide(self) -> None:
        payment, _ = await self._payment("dispute = 'open' and provider_dispute_id is not null")
        name = "dispute" if payment.provider is Provider.STRIPE else "dispute_id"
        wish = {name: payment.provider_dispute_id, "won": self.dice.random() < 0.6}
        self.shop.sandbox.control.call("POST", f"/{payment.provider}/dispute/close", wish)

    async def use(self) -> None:
        rows = await self.shop.sql(
            "select id, mentor_id, student_id from session_packs where status = 'active' and remaining_sessions > 0"
        )
        if rows:
            row = self.dice.choice(rows)
            async with self.shop.database.service(ServiceDoor.JOB) as uow, uow.transaction():
                await packs.add_entry(uow, row.id, packs.EntryKind.COMPLETE, -1)
                await seats.settle(uow, row.mentor_id, row.student_id)

    async def join(self) -> None:
        async with self.shop.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            await waitlist.join(uow, self._mentor(), self._student())

    async def leave(self) -> None:
        async with self.shop.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            await waitlist.leave(uow, self._mentor(), self._student())

    async def resize(self) -> None:
        mentor = self.dice.choice(MENTORS)
        await self.shop.seats(self.dice.randint(1, 6), mentor)
        async with self.shop.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            await seats.offer(uow, self.shop.cast[mentor])

    async def disturb(self) -> None:
        dial = {"error_rate": 0.3, "status": self.dice.choice((500, 503)), "after": self.dice.random() < 0.5}
        self.shop.sandbox.control.chaos(self.dice.choice(list(Provider)), **dial)

    async def calm(self) -> None:
        self.shop.sandbox.control.chaos()

    async def pass_time(self) -> None:
        self.shop.advance(self.dice.choice(DURATIONS))

    def _student(self) -> UUID:
        return self.dice.choice(self.students)

    def _mentor(self) -> UUID:
        return self.shop.cast[self.dice.choice(MENTORS)]

    async def _order(self, condition: str = "true") -> UUID:
        rows = await self.shop.sql(
            f"select id from orders where {condition} order by created_at desc limit 12"
        )
        if not rows:
            raise AppError("there is none yet")
        found: UUID = self.dice.choice(rows).id
        return found

    async def _payment(self, condition: str = "true") -> tuple[Any, dict[str, Any]]:
        rows = await self.shop.sql(
            f"select * from payments where {condition} and amount > 0 order by created_at desc limit 12"
        )
        if not rows:
            raise AppError("there is none yet")
        payment = self.dice.choice(rows)
        name = "payment_intent" if payment.provider == Provider.STRIPE else "capture_id"
        return payment, {name: payment.provider_payment_id}


Action = Callable[[Machine], Awaitable[None]]
ACTIONS: dict[str, tuple[Action, int]] = {
    "start": (Machine.start, 20),
    "settle": (Machine.settle, 20),
    "settle later": (Machine.settle_later, 5),
    "look": (Machine.look, 10),
    "walk away": (Machine.walk_away, 4),
    "deliver": (Machine.deliver, 14),
    "drop": (Machine.drop, 2),
    "work": (Machine.work, 14),
    "refund": (Machine.refund, 5),
    "refund at vendor": (Machine.refund_at_vendor, 3),
    "dispute": (Machine.dispute, 2),
    "decide": (Machine.decide, 3),
    "use": (Machine.use, 8),
    "join": (Machine.join, 6),
    "leave": (Machine.leave, 2),
    "resize": (Machine.resize, 2),
    "disturb": (Machine.disturb, 2),
    "calm": (Machine.calm, 4),
    "pass time": (Machine.pass_time, 8),
}
