"""A mentor's past at random, written straight into the tables: sessions and money around the borders of months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.ids import new_id
from app.core.unit_of_work import Role, UnitOfWork
from tests import cast as casting
from tests.dashboards.student_worlds import SEATS, StudentWorld

HOUR = timedelta(hours=1)
ENDS = ("completed", "completed", "no_show", "canceled", "scheduled")
PAID = ("completed", "completed", "refunded", "pending", "failed")
WENT = ("completed", "requested", "failed")
CURRENCIES = ("EUR", "EUR", "USD", "JPY")


@dataclass
class MentorWorld:
    """Fills the tables for one mentor as of `now`; `borders` are instants near which most of it happens."""

    uow: UnitOfWork
    mentor_id: UUID
    now: datetime
    random: Random
    borders: Sequence[datetime] = ()
    pairs: list[dict[str, UUID]] = field(default_factory=list)
    packs: list[UUID] = field(default_factory=list)

    async def sql(self, statement: str, **values: Any) -> None:
        await self.uow.session.execute(sa.text(statement), values)

    async def students(self, count: int) -> None:
        """Students with packs, sessions and perhaps a seat, as a student's own world has them."""
        await self.sql("update mentors set max_active_students = 500 where id = :id", id=self.mentor_id)
        booked = 0
        for number in range(count):
            student_id = new_id()
            name = f"Pupil {number:03} {self.random.choice('ABCXYZ')}"
            await casting.add_user(
                self.uow, student_id, f"pupil-{student_id}@example.test", name, Role.STUDENT
            )
            world = StudentWorld(self.uow, student_id, self.now, self.random, booked)
            pair = {"mentor_id": self.mentor_id, "student_id": student_id}
            for _ in range(self.random.randint(0, 2)):
                await world.pack(pair)
            await world.seat(pair, self.random.choice(SEATS))
            booked = world.booked
            self.pairs.append(pair)

    def around(self) -> datetime:
        """An instant within hours of a border, to the second."""
        off = timedelta(seconds=self.random.choice((-1, 0, 1, self.random.randint(-20_000, 20_000))))
        return self.random.choice(self.borders) + off

    async def sessions(self, count: int, pack_id: UUID, pair: dict[str, UUID]) -> None:
        """Sessions that began near the borders and ended somehow; scheduled ones never overlap."""
        world = StudentWorld(self.uow, pair["student_id"], self.now, self.random)
        taken: set[datetime] = set()
        for _ in range(count):
            status, start = self.random.choice(ENDS), self.around()
            if status == "scheduled" and any(abs(start - other) < HOUR for other in taken):
                continue
            if status == "scheduled":
                taken.add(start)
            await world.add(
                "sessions",
                **pair,
                pack_id=pack_id,
                status=status,
                scheduled_at=start,
                ends_at=start + HOUR,
                blocked=f"[{start.isoformat()},{(start + HOUR).isoformat()})",
                booked_at=start - HOUR,
                completed_at=start + HOUR if status in ("completed", "no_show") else None,
                canceled_at=start if status == "canceled" else None,
                version=0,
                notes="",
                recording_consent=False,
                event_sync="none",
                event_generation=0,
            )

    async def money(self, count: int, product_id: UUID, pair: dict[str, UUID]) -> None:
        """Orders that were paid near the borders, some of it given back near another."""
        world = StudentWorld(self.uow, pair["student_id"], self.now, self.random)
        for _ in range(count):
            paid_at, amount = self.around(), self.random.randint(1, 90_000)
            shared = {"currency": self.random.choice(CURRENCIES), "created_at": paid_at}
            order_id = await world.add(
                "orders",
                **pair,
                **shared,
                product_id=product_id,
                provider="stripe",
                status="paid",
                title="Pack",
                sessions=4,
                validity_days=45,
                original_amount=amount,
                discount_amount=0,
                tax_amount=0,
                total_amount=amount,
                hold_until=paid_at,
            )
            payment_id = await world.add(
                "payments",
                **shared,
                order_id=order_id,
                provider="stripe",
                provider_payment_id=str(order_id),
                status=self.random.choice(PAID),
                amount=amount,
                refunded_amount=0,
            )
            for _ in range(self.random.choice((0, 0, 1, 2))):
                await world.add(
                    "refunds",
                    order_id=order_id,
                    payment_id=payment_id,
                    amount=self.random.randint(0, amount // 2),
                    currency=shared["currency"],
                    sessions=0,
                    status=self.random.choice(WENT),
                    origin="admin",
                    reason="",
                    requested_at=self.around(),
                )
