"""Vendors that fail in the midst of it, people who come back at odd moments: rare, and about money all the same."""

from __future__ import annotations

import dataclasses
import hmac
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.errors import Invalid
from app.core.rls import ServiceDoor
from app.packs import seats
from app.packs.models import SeatStatus
from app.payments import reconciliation
from app.payments.gateway import Gateway, OpenedCheckout, Provider, Purchase
from app.payments.models import OrderStatus
from app.site import forgetting
from tests.payments.shop import PROVIDERS, Letter, Shop


async def waiting_events(shop: Shop) -> int:
    ((count,),) = await shop.sql(
        "select count(*) from outbox where type in ('payment/sync', 'payment/close') and state <> 'done'"
    )
    return int(count)


async def test_a_capture_that_fails_for_an_hour_does_not_multiply_its_jobs(shop: Shop) -> None:
    started = await shop.start("new_student", await shop.product(), Provider.PAYPAL)
    await shop.settle(started.order_id)
    shop.sandbox.control.chaos("paypal", error_rate=1, status=503, match="/capture")
    await shop.emit("payment/sync", order_id=started.order_id)
    for _ in range(12):
        await shop.work()
        assert await waiting_events(shop) < 10
        shop.advance("PT5M")
    shop.sandbox.control.chaos()
    assert (await shop.order(started.order_id)).status is OrderStatus.CANCELED
    await shop.look(started.order_id)  # as the buyer who comes back, or the daily comparison
    assert (await shop.order(started.order_id)).status is OrderStatus.PAID
    assert await shop.seat("new_student") is SeatStatus.ACTIVE


@pytest.mark.parametrize("limited", ["code", "coupon"])
async def test_a_code_that_stripe_counts_is_for_stripe_alone(shop: Shop, limited: str) -> None:
    """At PayPal it could be used again and again: nobody counts there."""
    product = await shop.product()
    counted_code(shop, "ONCE", limited)
    for _ in range(2):
        with pytest.raises(Invalid) as invalid:
            await shop.start(await shop.student(), product, Provider.PAYPAL, "ONCE")
        assert "Stripe" in invalid.value.fields["code"]
    assert await shop.sql("select count(*) from orders") == [(0,)]
    started = await shop.start("new_student", product, Provider.STRIPE, "ONCE")
    await shop.settle(started.order_id)
    await shop.look(started.order_id)
    assert (await shop.order(started.order_id)).total_amount == 0
    with pytest.raises(Invalid):
        await shop.start(await shop.student(), product, Provider.STRIPE, "ONCE")


def counted_code(shop: Shop, code: str, limited: str) -> None:
    """Make a code that takes all off, once."""
    once = {"max_redemptions": "1"}
    key = {"Authorization": f"Bearer {shop.sandbox.settings.stripe_secret_key}"}
    coupon = {"percent_off": "100", **(once if limited == "coupon" else {})}
    made = shop.sandbox.http.post("/stripe/v1/coupons", data=coupon, headers=key).json()
    promotion = {"promotion[type]": "coupon", "promotion[coupon]": made["id"], "code": code}
    wish = promotion | (once if limited == "code" else {})
    shop.sandbox.http.post("/stripe/v1/promotion_codes", data=wish, headers=key).raise_for_status()


class Slow:
    """A gateway during whose first opening something else happens."""

    def __init__(self, gateway: Gateway, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._gateway = gateway
        self._meanwhile: Callable[[], Awaitable[object]] | None = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)

    async def open(self, purchase: Purchase) -> OpenedCheckout:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile:
            await meanwhile()
        return await self._gateway.open(purchase)


async def test_a_checkout_that_opens_after_it_was_replaced_is_ended(shop: Shop) -> None:
    product = await shop.product()

    async def meanwhile() -> None:
        await shop.start("new_student", product, Provider.PAYPAL)
        await shop.work()

    gateways = dict(shop.cashier.gateways)
    gateways[Provider.STRIPE] = Slow(gateways[Provider.STRIPE], meanwhile)
    cashier = dataclasses.replace(shop.cashier, gateways=gateways)
    shop.platform = dataclasses.replace(shop.platform, cashier=cashier)
    first = await shop.start("new_student", product, Provider.STRIPE)
    await shop.work()
    assert (await shop.order(first.order_id)).status is OrderStatus.CANCELED
    sessions = shop.sandbox.control.call("GET", "/stripe/sessions")["items"]
    assert [session["status"] for session in sessions] == ["expired"]
    assert await shop.seat("new_student") is SeatStatus.HELD


async def test_grace_does_not_end_while_the_money_is_taken(shop: Shop) -> None:
    """Who renewed, turned back and approved all the same: no capture without a seat until it is done."""
    await shop.sql(
        "update seat_reservations set status = 'grace', seat_expires_at = :at where student_id = :id",
        at=clock.now() + timedelta(minutes=2),
        id=shop.cast["student"],
    )
    started = await shop.start("student", await shop.product(), Provider.PAYPAL)
    await shop.walk_away(shop.cast["student"], started.order_id)
    await shop.work()
    await shop.settle(started.order_id)
    shop.sandbox.control.chaos("paypal", error_rate=1, status=503, match="/capture", count=1)
    await shop.emit("payment/sync", order_id=started.order_id)
    await shop.work()
    shop.advance("PT3M")
    async with shop.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await seats.expire(uow, await seat_id(shop))
    assert await shop.seat("student") is SeatStatus.GRACE
    await shop.work()
    assert await shop.seat("student") is SeatStatus.ACTIVE
    assert (await shop.order(started.order_id)).pack_id is not None


async def seat_id(shop: Shop) -> UUID:
    query = "select id from seat_reservations where student_id = :id"
    ((found,),) = await shop.sql(query, id=shop.cast["student"])
    return UUID(str(found))


async def test_nobody_is_charged_who_has_left_for_good(shop: Shop) -> None:
    started = await shop.start("new_student", await shop.product(), Provider.PAYPAL)
    await shop.walk_away(shop.cast["new_student"], started.order_id)
    await shop.work()
    principal = shop.cast.principal("new_student")
    await forgetting.leave(shop.database, shop.platform.google, principal, shop.cast["new_student"])
    await shop.settle(started.order_id)
    await shop.look(started.order_id)
    assert shop.sandbox.control.call("GET", "/paypal/captures")["items"] == []
    assert await shop.seat("new_student") is None


async def test_a_comparison_goes_on_where_its_time_was_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty orders of a provider that keeps each question waiting are more than one job has time for."""
    product = await shop.product()
    for number in range(4):
        await shop.buy(await shop.student(number), product, PROVIDERS[number % 2])
        await shop.seats(9)
    await shop.work()
    ticks = iter(range(0, 10_000, 40))
    monkeypatch.setattr(reconciliation, "monotonic", lambda: next(ticks))
    asked: list[int] = []

    async def counting(cashier: Any, run_id: UUID, after: UUID = reconciliation.FROM_THE_FIRST) -> None:
        before = await compared(shop)
        await run(cashier, run_id, after)
        asked.append(await compared(shop) - before)

    run = reconciliation.run
    monkeypatch.setattr(reconciliation, "run", counting)
    shop.sandbox.control.chaos("stripe", error_rate=1, status=503)
    async with shop.database.service(ServiceDoor.JOB) as uow:
        await reconciliation.request(uow)
        await uow.commit()
    await shop.work()
    assert await shop.sql("select checked, finished_at is not null from reconciliation_runs") == [(4, True)]
    assert await compared(shop) == 2
    assert max(asked) == 1


async def compared(shop: Shop) -> int:
    ((count,),) = await shop.sql("select count(*) from reconciliation_findings")
    return int(count)


@pytest.mark.parametrize("name", ["A\\u0000B", "\\ud800", "NaN\\\\u0000"])
async def test_a_webhook_with_letters_that_no_table_holds_is_kept(shop: Shop, name: str) -> None:
    """Buyers choose their names; the body is kept for people, what it is about is what counts."""
    started = await shop.start("new_student", await shop.product())
    await shop.settle(started.order_id)
    body = (
        '{"id": "evt_odd", "object": "event", "type": "checkout.session.completed", "data": {"object":'
        f' {{"object": "checkout.session", "id": "cs_x", "metadata": {{"order_id": "{started.order_id}"}},'
        f' "customer_details": {{"name": "{name}"}}}}}}}}'
    ).encode()
    at = int(time.time())
    secret = shop.platform.settings.stripe_webhook_secret
    signature = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    await shop.deliver([Letter(Provider.STRIPE, {"stripe-signature": f"t={at},v1={signature}"}, body)])
    await shop.work()
    assert (await shop.order(started.order_id)).status is OrderStatus.PAID


@pytest.mark.parametrize("paid", [False, True])
async def test_a_checkout_that_was_replaced_is_never_captured(shop: Shop, paid: bool) -> None:
    """Two tabs: the newer wish is open, or paid already, when the older one is approved after all."""
    product = await shop.product()
    older = await shop.start("new_student", product, Provider.PAYPAL)
    newer = await shop.start("new_student", product)
    await shop.work()
    if paid:
        await shop.settle(newer.order_id)
        await shop.look(newer.order_id)
    await shop.settle(older.order_id)
    await shop.look(older.order_id)
    assert shop.sandbox.control.call("GET", "/paypal/captures")["items"] == []
    assert (await shop.order(older.order_id)).status is OrderStatus.CANCELED
