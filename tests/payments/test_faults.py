"""Death between any two steps: before and after every commit and every call to a provider, one place after the other.

Whoever dies, web or worker, does nothing any more: what it had not committed is lost, what it had asked a provider for
was done. Then another worker goes on, webhooks come, and the hold runs out. Nothing may be lost or doubled by then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from app.core import outbox
from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.packs.models import PackStatus, SeatStatus
from app.payments import reconciliation
from app.payments.gateway import Provider
from app.payments.models import OrderStatus, PaymentStatus, RefundStatus
from tests.payments.shop import PROVIDERS, Shop

CALLS = ("open", "find", "end", "capture", "refund")
both = pytest.mark.parametrize("provider", PROVIDERS)
heals_by = pytest.mark.parametrize("news", ["webhooks", "reconciliation"])


class Killed(BaseException):
    """The process is gone."""


class Reaper:
    """Kills at the place with the number `at`, counted from 1; whoever is dead stays dead until it is calm again."""

    def __init__(self) -> None:
        self.at = 0
        self.passed = 0

    def arm(self, at: int) -> None:
        self.at, self.passed = at, 0

    def calm(self) -> bool:
        """Let everybody live; True if somebody died."""
        died = self.passed >= self.at > 0
        self.at = 0
        return died

    def step(self) -> None:
        if self.at:
            self.passed += 1
            if self.passed >= self.at:
                raise Killed

    def around(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def mortal(*args: Any, **kwargs: Any) -> Any:
            self.step()
            result = await call(*args, **kwargs)
            self.step()
            return result

        return mortal


class Mortal:
    """A gateway around whose calls one may die."""

    def __init__(self, gateway: Any, reaper: Reaper) -> None:
        self.gateway = gateway
        self.reaper = reaper

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.gateway, name)
        return self.reaper.around(found) if name in CALLS else found


@pytest.fixture
def reaper(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Reaper:
    reaper = Reaper()
    monkeypatch.setattr(UnitOfWork, "commit", reaper_commit(reaper, UnitOfWork.commit))
    gateways = {name: Mortal(gateway, reaper) for name, gateway in shop.cashier.gateways.items()}
    cashier = dataclasses.replace(shop.cashier, gateways=gateways)
    shop.platform = dataclasses.replace(shop.platform, cashier=cashier)
    monkeypatch.setattr(shop, "handle", without_mails(shop.handle))
    return reaper


def without_mails(handle: Any) -> Any:
    """Mails are composed elsewhere, and killed elsewhere (`tests/soak`); here it counts that each is wanted once."""

    async def handled(event: Event) -> None:
        if event.type != "notification/send":
            await handle(event)

    return handled


def reaper_commit(reaper: Reaper, commit: Any) -> Any:
    async def mortal(self: UnitOfWork) -> None:
        await reaper.around(commit)(self)

    return mortal


async def until_done(reaper: Reaper, flow: Callable[[], Awaitable[None]], at: int) -> bool:
    """Run the flow with death at that place; False if it has fewer places."""
    reaper.arm(at)
    with suppress(Killed):
        await flow()
    return reaper.calm()


async def go_on(shop: Shop) -> None:
    """What another worker does: the events that a dead one held, then those that are due."""
    async with shop.database.service(ServiceDoor.JOB) as uow:
        held = await outbox.stranded(uow, grace_seconds=-60)
    for event_id in held:
        await outbox.perform(shop.database, event_id, shop.handle)
    await shop.work()


async def heal(shop: Shop, news: str) -> None:
    await go_on(shop)
    if news == "webhooks":
        await shop.deliver(shop.letterbox.take())
        await go_on(shop)
    shop.advance("PT41M")
    await go_on(shop)
    if news == "reconciliation":
        async with shop.database.service(ServiceDoor.JOB) as uow:
            run_id = await reconciliation.request(uow)
            await uow.commit()
        await reconciliation.run(shop.cashier, run_id)
        await go_on(shop)


async def is_paid(shop: Shop, order: Any) -> bool:
    if order.provider_session_id is None:
        return False
    state = await shop.cashier.gateway(order.provider).find(order.provider_session_id)
    return state.status == "paid"


async def check(shop: Shop, student: UUID) -> None:
    """No money without its pack, no pack without its money, no seat without either."""
    rows = await shop.sql("select id from orders where student_id = :id", id=student)
    packs = 0
    for row in rows:
        order = await shop.order(row.id)
        payment = await shop.payment(row.id)
        assert order.status is not OrderStatus.PENDING
        assert order.capturing_at is None
        assert (payment is not None) == await is_paid(shop, order)
        assert (order.pack_id is not None) == (payment is not None)
        packs += payment is not None
    owned = await shop.sql("select count(*) from session_packs where student_id = :id", id=student)
    assert owned == [(packs,)]
    assert await shop.seat(student) is (SeatStatus.ACTIVE if packs else None)
    dead = await shop.sql("select type, last_error from outbox where state = 'dead'")
    assert dead == []


@heals_by
@both
async def test_dying_anywhere_in_a_checkout(
    shop: Shop, reaper: Reaper, provider: Provider, news: str
) -> None:
    product, at, paid = await shop.product(), 0, 0
    died = True
    while died:
        at += 1
        student = await shop.student(at)

        async def flow(student: UUID = student) -> None:
            started = await shop.start(student, product, provider)
            armed, reaper.at = reaper.at, 0  # buyers don't die of us
            await shop.settle(started.order_id)
            reaper.at = armed
            await shop.look(started.order_id)

        died = await until_done(reaper, flow, at)
        await heal(shop, news)
        await check(shop, student)
        paid += await shop.seat(student) is SeatStatus.ACTIVE
        await shop.seats(at + 5)
    assert at > 10
    assert paid >= 5


@both
async def test_a_worker_dying_anywhere_while_it_fulfils(
    shop: Shop, reaper: Reaper, provider: Provider
) -> None:
    """The tab is closed, only the webhook tells."""
    product, at, died = await shop.product(), 0, True
    while died:
        at += 1
        student = await shop.student(at)
        started = await shop.start(student, product, provider)
        await shop.settle(started.order_id)
        told = "checkout.session.completed" if provider is Provider.STRIPE else "CHECKOUT.ORDER.APPROVED"
        await shop.until_told(told)
        letters = shop.letterbox.take()

        async def flow(letters: Any = letters) -> None:
            await shop.deliver(letters)
            await shop.work()

        died = await until_done(reaper, flow, at)
        await shop.deliver(letters)  # a webhook that got no answer comes again
        await heal(shop, "webhooks")
        await check(shop, student)
        assert await shop.seat(student) is SeatStatus.ACTIVE
        mails = await shop.sql(
            "select count(*) from outbox where payload ->> 'kind' = 'pack_purchased' and payload ->> 'order_id' = :id",
            id=str(started.order_id),
        )
        assert mails == [(1,)]
        await shop.seats(at + 5)
    assert at > 15


@both
async def test_dying_anywhere_in_a_refund(shop: Shop, reaper: Reaper, provider: Provider) -> None:
    product, at, died = await shop.product(), 0, True
    while died:
        at += 1
        student = await shop.student(at)
        order_id = await shop.buy(student, product, provider)
        await shop.work()

        async def flow(order_id: UUID = order_id) -> None:
            await shop.refund(order_id)
            await shop.work()

        died = await until_done(reaper, flow, at)
        if not await shop.sql("select 1 from refunds where order_id = :id", id=order_id):
            await shop.refund(order_id)  # the admin saw an error and clicks again
        await heal(shop, "webhooks")
        rows = await shop.sql("select amount, status from refunds where order_id = :id", id=order_id)
        assert rows == [(12_000, RefundStatus.COMPLETED)]
        payment, pack = await shop.payment(order_id), await shop.pack(order_id)
        assert (payment.status, payment.refunded_amount) == (PaymentStatus.REFUNDED, 12_000)
        assert (pack.status, pack.remaining_sessions) == (PackStatus.REFUNDED, 0)
        assert await shop.seat(student) is None
        session_id = (await shop.order(order_id)).provider_session_id
        state = await shop.cashier.gateway(provider).find(session_id)
        assert [refund.amount for refund in state.refunds] == [12_000]
    assert at > 8
