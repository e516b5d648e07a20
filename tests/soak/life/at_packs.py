"""Packs and seats: bought, given, changed, refunded, taken away."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from app.core import clock
from app.core.ids import new_id
from app.packs import adjusting, by_hand
from app.packs.models import SeatStatus
from app.payments import checkout, refunds, sync
from app.payments.checkout import Wish
from app.payments.gateway import Provider
from tests.soak.life.at_sessions import AtSessions

WHY = "Agreed on the phone"
_ENDING = (
    "select mentor_id, student_id from seat_reservations where status in ('active', 'grace')"
    " and not exists (select 1 from session_packs k where k.mentor_id = seat_reservations.mentor_id"
    " and k.student_id = seat_reservations.student_id and k.remaining_sessions > 1)"
)


class AtPacks(AtSessions):
    """What buyers and admins do with packs and seats."""

    async def buy(self) -> None:
        mentor_id = self.rng.choice(self.world.mentors)
        await self._buy(self.rng.choice(self.world.students), mentor_id)

    async def renew(self) -> None:
        pair = await self._one(_ENDING)
        await self._buy(pair.student_id, pair.mentor_id)

    async def take_offer(self) -> None:
        pair = await self._one("select mentor_id, student_id from seat_reservations where status = 'offered'")
        await self._buy(pair.student_id, pair.mentor_id)

    async def first_pack(self) -> None:
        """Every third is bought: each order is compared with Stripe every day, which takes its time."""
        await (self.buy() if self.rng.random() < 1 / 3 else self.grant())

    async def _buy(self, student_id: UUID, mentor_id: UUID) -> None:
        cashier = self.world.platform.cashier
        product_id = self.rng.choice(self.world.products[mentor_id])
        started = await checkout.start(cashier, Wish(student_id, product_id, Provider.STRIPE, ""))
        if self.rng.random() < 0.15:
            self.history.note(clock.now(), "walk away", order_id=started.order_id)
            return
        (order,) = await self.sql(
            "select provider_session_id from orders where id = :id", id=started.order_id
        )
        wish = {"session_id": order.provider_session_id, "async": False}
        await asyncio.to_thread(self.world.sandbox.control.call, "POST", "/stripe/pay", wish)
        await sync.sync(cashier, started.order_id)
        self.history.note(clock.now(), "buy", order_id=started.order_id)

    async def grant(self) -> None:
        mentor_id, student_id = self.rng.choice(self.world.mentors), self.rng.choice(self.world.students)
        await self._grant(mentor_id, student_id)

    async def renew_by_hand(self) -> None:
        pair = await self._one(_ENDING)
        await self._grant(pair.mentor_id, pair.student_id)

    async def _grant(self, mentor_id: UUID, student_id: UUID) -> None:
        sessions, days = self.rng.randint(1, 5), self.rng.choice((9, 20, 30, 40))
        async with self._acting(self.world.as_admin()) as uow:
            await by_hand.grant_pack(
                uow, mentor_id, student_id, sessions=sessions, days=days, reason=WHY, key=str(new_id())
            )
        self.history.note(clock.now(), "grant", mentor_id=mentor_id, student_id=student_id)

    async def adjust(self) -> None:
        row = await self._one("select * from session_packs where status in ('active', 'depleted')")
        change = self.rng.choice([adjusting.add_sessions_to_pack, adjusting.remove_sessions_from_pack])
        async with self._acting(self.world.as_admin()) as uow:
            await change(uow, row.id, 1, reason=WHY, seen=row.remaining_sessions)
        self.history.note(clock.now(), "adjust", pack_id=row.id)

    async def move_expiry(self) -> None:
        row = await self._one("select * from session_packs where status <> 'refunded'")
        last_day = (clock.now() + timedelta(days=self.rng.randint(1, 40))).date()
        async with self._acting(self.world.as_admin()) as uow:
            await adjusting.change_expiry(
                uow, row.id, last_day, "Europe/Berlin", reason=WHY, seen=row.expires_at
            )
        self.history.note(clock.now(), "move expiry", pack_id=row.id, was=row.expires_at)

    async def refund(self) -> None:
        order = await self._one(
            "select o.id, o.pack_id from orders o join session_packs k on k.id = o.pack_id"
            " where o.status = 'paid' and k.remaining_sessions > 0"
        )
        scheduled = await self.sql(
            "select id from sessions where pack_id = :id and status = 'scheduled'", id=order.pack_id
        )
        async with self._acting(self.world.as_admin()) as uow:
            quoted = (await refunds.quote(uow, order.id)).amount
            refund_id = await refunds.request(uow, order.id, quoted=quoted, reason=WHY)
        self.history.note(clock.now(), "refund", refund_id=refund_id, order_id=order.id)
        for row in scheduled:
            await self._note_session("cancel", row.id)

    async def take_seat_away(self) -> None:
        row = await self._one("select * from seat_reservations where status in ('active', 'grace')")
        async with self._acting(self.world.as_admin()) as uow:
            await by_hand.release_seat(uow, row.id, reason=WHY, seen=SeatStatus(row.status))
        self.history.note(clock.now(), "seat taken", seat_id=row.id)

    async def give_seat(self) -> None:
        mentor_id, student_id = self.rng.choice(self.world.mentors), self.rng.choice(self.world.students)
        async with self._acting(self.world.as_admin()) as uow:
            await by_hand.grant_seat(uow, mentor_id, student_id, reason=WHY)
        pair = {"mentor_id": mentor_id, "student_id": student_id}
        (row,) = await self.sql(
            "select id from seat_reservations where mentor_id = :mentor_id and student_id = :student_id"
            " and status <> 'released'",
            **pair,
        )
        self.history.note(clock.now(), "seat granted", seat_id=row.id, **pair)
