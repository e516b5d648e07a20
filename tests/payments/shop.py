"""A shop for tests: the cast, products, a sandbox whose webhooks are caught, and a worker that works when it is told to."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app import wiring
from app.core import clock, outbox
from app.core.ids import new_id
from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.mentors import products
from app.mentors.product_rules import Offer
from app.notifications.mailer import Mailer
from app.packs.models import SeatReservation, SeatStatus, SessionPack
from app.payments import checkout, refunds, sync, webhooks
from app.payments.cashier import Grandfathering
from app.payments.checkout import Started, Wish
from app.payments.gateway import Provider
from app.payments.models import Order, Payment, Refund
from app.settings import Settings
from app.wiring import Platform
from jobs.events import EVENTS
from tests import cast as casting
from tests.cast import Cast
from tests.support.sandbox import RunningSandbox
from tests.support.waiting import until

PROVIDERS = (Provider.STRIPE, Provider.PAYPAL)


@dataclass(frozen=True)
class Letter:
    """A webhook as a vendor sent it."""

    provider: Provider
    headers: dict[str, str]
    body: bytes


@dataclass
class Letterbox:
    """An ASGI application that takes every webhook and keeps it."""

    letters: list[Letter] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await _lifespan(receive, send)
            return
        parts = []
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        name = scope["path"].rpartition("/")[2]
        if name in {provider.value for provider in PROVIDERS}:
            self.letters.append(Letter(Provider(name), headers, b"".join(parts)))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    def take(self) -> list[Letter]:
        """The letters that came since the last call."""
        taken, self.letters = self.letters, []
        return taken


async def _lifespan(receive: Any, send: Any) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


@dataclass
class Shop:
    """Buys, pays and works as people, vendors and workers do; ids of the cast by name."""

    platform: Platform
    sandbox: RunningSandbox
    letterbox: Letterbox
    cast: Cast

    @property
    def database(self) -> Any:
        return self.platform.database

    @property
    def cashier(self) -> Any:
        return self.platform.cashier

    async def product(
        self, price: int = 12_000, currency: str = "EUR", sessions: int = 4, mentor: str = "mentor"
    ) -> UUID:
        """A pack on sale."""
        wanted = Offer(
            title="Four sessions",
            description="",
            price_minor=price,
            currency=currency,
            sessions_per_pack=sessions,
            validity_days=45,
        )
        async with self.database.service(ServiceDoor.SEED) as uow:
            product_id = await products.create(uow, self.cast[mentor], wanted)
            await uow.commit()
        return product_id

    async def student(self, number: int = 0) -> UUID:
        """Somebody new."""
        id_ = new_id()
        async with self.database.service(ServiceDoor.SEED) as uow:
            await casting.add_user(uow, id_, f"buyer-{number}-{id_}@example.test", "Buyer", Role.STUDENT)
            await uow.commit()
        return id_

    async def seats(self, number: int, mentor: str = "mentor") -> None:
        """Give the mentor so many seats."""
        await self.sql(
            "update mentors set max_active_students = :n where id = :id", n=number, id=self.cast[mentor]
        )

    async def start(
        self, who: str | UUID, product_id: UUID, provider: Provider = Provider.STRIPE, code: str = ""
    ) -> Started:
        """Begin a checkout."""
        student_id = who if isinstance(who, UUID) else self.cast[who]
        return await checkout.start(self.cashier, Wish(student_id, product_id, provider, code))

    async def settle(self, order_id: UUID, *, outcome: str = "completed") -> None:
        """Pay at the provider as the buyer: `completed`, `declined` or `pending`; webhooks are caught, nothing else."""
        order = await self.order(order_id)
        if order.provider is Provider.PAYPAL:
            wish = {"order_id": order.provider_session_id, "outcome": outcome}
            self.sandbox.control.call("POST", "/paypal/approve", wish)
        elif outcome == "declined":
            self.sandbox.control.call("POST", "/stripe/decline", {"session_id": order.provider_session_id})
        else:
            wish = {"session_id": order.provider_session_id, "async": outcome == "pending"}
            self.sandbox.control.call("POST", "/stripe/pay", wish)

    async def walk_away(self, student_id: UUID, order_id: UUID) -> None:
        """Come back without paying."""
        await checkout.walk_away(self.cashier, student_id, order_id)

    async def look(self, order_id: UUID) -> Order:
        """What the return page does."""
        return await sync.sync(self.cashier, order_id)

    async def buy(self, who: str | UUID, product_id: UUID, provider: Provider = Provider.STRIPE) -> UUID:
        """A whole purchase; the order's id."""
        started = await self.start(who, product_id, provider)
        await self.settle(started.order_id)
        await self.look(started.order_id)
        return started.order_id

    async def refund(self, order_id: UUID, quoted: int | None = None) -> UUID:
        """An admin's click."""
        admin = Principal(self.cast["admin"], Role.ADMIN)
        async with self.database.unit_of_work(admin) as uow:
            if quoted is None:
                quoted = (await refunds.quote(uow, order_id)).amount
            refund_id = await refunds.request(uow, order_id, quoted=quoted, reason="asked by the student")
            await uow.commit()
        return refund_id

    async def until_told(self, *types: str) -> None:
        """Wait until webhooks of these types have come."""

        def told() -> bool:
            bodies = [letter.body for letter in self.letterbox.letters]
            return all(any(f'"{type_}"'.encode() in body for body in bodies) for type_ in types)

        await until(told, what=f"webhooks {types}")

    async def deliver(self, letters: Sequence[Letter]) -> None:
        """Put webhooks into the inbox."""
        for letter in letters:
            await webhooks.receive(self.cashier, letter.provider, letter.body, letter.headers)

    async def work(self, *, shuffle: random.Random | None = None) -> int:
        """Perform every event that is due, and what comes of it; returns how many."""
        performed = 0
        while True:
            async with self.database.service(ServiceDoor.JOB) as uow:
                due = await outbox.claim_due(uow, clock.now())
                await uow.commit()
            if not due:
                return performed
            if shuffle is not None:
                shuffle.shuffle(due)
            for event_id in due:
                await outbox.perform(self.database, event_id, self.handle)
            performed += len(due)

    async def handle(self, event: Event) -> None:
        await EVENTS[event.type](self.platform, event)

    async def emit(self, type_: str, **payload: Any) -> None:
        """Let an event come that nobody here caused."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            await uow.emit(type_, payload)
            await uow.commit()

    def with_settings(self, **more: Any) -> Shop:
        """The same shop with other terms of sale."""
        settings = dataclasses.replace(self.platform.settings, **more)
        cashier = dataclasses.replace(self.cashier, grandfathering=Grandfathering.of(settings))
        platform = dataclasses.replace(self.platform, settings=settings, cashier=cashier)
        return dataclasses.replace(self, platform=platform)

    def advance(self, duration: str) -> None:
        """Move business time."""
        self.sandbox.control.advance(duration, jump=True)

    async def order(self, order_id: UUID) -> Any:
        return await self._one(sa.select(Order).where(Order.id == order_id))

    async def payment(self, order_id: UUID) -> Any:
        return await self._one(sa.select(Payment).where(Payment.order_id == order_id))

    async def refund_row(self, refund_id: UUID) -> Any:
        return await self._one(sa.select(Refund).where(Refund.id == refund_id))

    async def pack(self, order_id: UUID) -> Any:
        order = await self.order(order_id)
        return await self._one(sa.select(SessionPack).where(SessionPack.id == order.pack_id))

    async def seat(self, who: str | UUID, mentor: str = "mentor") -> SeatStatus | None:
        """The status of the pair's live seat."""
        student_id = who if isinstance(who, UUID) else self.cast[who]
        seat = await self._one(
            sa.select(SeatReservation).where(
                SeatReservation.mentor_id == self.cast[mentor],
                SeatReservation.student_id == student_id,
                SeatReservation.status != SeatStatus.RELEASED,
            )
        )
        return None if seat is None else seat.status

    async def sql(self, statement: str, **values: Any) -> Any:
        """Arrange or ask what no service does."""
        async with self.database.service(ServiceDoor.SEED) as uow:
            result = await uow.session.execute(sa.text(statement), values)
            rows = result.all() if result.returns_rows else []
            await uow.commit()
            return rows

    async def _one(self, query: Any) -> Any:
        async with self.database.service(ServiceDoor.JOB) as uow:
            return (await uow.session.execute(query)).scalar_one_or_none()


def settings_for(settings: Settings, sandbox: RunningSandbox, **more: Any) -> Settings:
    """`settings` whose vendors are the sandbox, and `more` of them."""
    given = {name.lower(): value for name, value in sandbox.platform_settings().items()}
    return dataclasses.replace(settings, **(given | more))


@asynccontextmanager
async def open_shop(platform: Platform, sandbox: RunningSandbox, letterbox: Letterbox) -> AsyncIterator[Shop]:
    """A shop of a platform that may have served others before; at the end business time is machine time again."""
    wiring.prepare(platform.settings)
    mailer = Mailer.of(platform.settings)  # who is made last has the process's account at Resend
    try:
        fresh = dataclasses.replace(platform, mailer=mailer)
        yield Shop(fresh, sandbox, letterbox, await casting.make(platform.database))
    finally:
        clock.follow("")
