"""Orders against their providers: what was missed is made good, what can't be is listed with its reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.core import clock
from app.core.errors import Refused
from app.payments import fulfilment, reconciliation, settlement
from app.payments.gateway import Provider
from app.payments.models import OrderFlag, OrderStatus
from app.site import forgetting
from tests.payments.shop import PROVIDERS, Shop

both = pytest.mark.parametrize("provider", PROVIDERS)


async def compared(shop: Shop) -> list[tuple[str, bool]]:
    """An admin's click, and what it found: (code, repaired)."""
    async with shop.database.unit_of_work(shop.cast.principal("admin")) as uow:
        run_id = await reconciliation.request(uow)
        await uow.commit()
    await shop.work()
    ((finished,),) = await shop.sql(
        "select finished_at is not null from reconciliation_runs where id = :id", id=run_id
    )
    assert finished
    query = "select code, repaired from reconciliation_findings where run_id = :id order by found_at"
    return [tuple(row) for row in await shop.sql(query, id=run_id)]


async def test_nothing_is_found_where_both_agree(shop: Shop) -> None:
    product = await shop.product()
    for provider in Provider:
        await shop.buy(await shop.student(), product, provider)
    await shop.work()
    assert await compared(shop) == []
    assert await shop.sql("select checked from reconciliation_runs") == [(2,)]


@both
async def test_a_payment_that_nobody_told_of(shop: Shop, provider: Provider) -> None:
    started = await shop.start("new_student", await shop.product(), provider)
    await shop.settle(started.order_id)
    assert await compared(shop) == [("payment_missed", True)]
    assert (await shop.order(started.order_id)).status is OrderStatus.PAID
    assert await compared(shop) == []


async def test_a_refund_that_nobody_told_of(shop: Shop) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    payment = await shop.payment(order_id)
    shop.sandbox.control.call("POST", "/stripe/refund", {"payment_intent": payment.provider_payment_id})
    assert await compared(shop) == [("refund_missed", True)]
    assert (await shop.order(order_id)).status is OrderStatus.REFUNDED


async def test_what_only_an_admin_can_decide_is_listed_each_time(shop: Shop) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    payment = await shop.payment(order_id)
    wish = {"payment_intent": payment.provider_payment_id, "amount": 1_000}
    shop.sandbox.control.call("POST", "/stripe/refund", wish)
    assert await compared(shop) == [("refund_missed", True)]
    assert await compared(shop) == [("partial_refund", False)]


@both
async def test_a_provider_out_of_reach_is_said_so(shop: Shop, provider: Provider) -> None:
    await shop.buy("new_student", await shop.product(), provider)
    await shop.work()
    shop.sandbox.control.chaos(provider, error_rate=1, status=503)
    assert await compared(shop) == [("unreachable", False)]


async def test_a_checkout_that_the_provider_does_not_know(shop: Shop) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    await shop.sql("update orders set provider_session_id = 'cs_test_gone' where id = :id", id=order_id)
    assert await compared(shop) == [("unknown_at_provider", False)]


async def test_more_orders_than_one_batch(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "BATCH", 2)
    product = await shop.product()
    await shop.seats(20)
    orders = [await shop.start(await shop.student(n), product, list(Provider)[n % 2]) for n in range(5)]
    for order in orders:
        await shop.settle(order.order_id)
    assert await compared(shop) == [("payment_missed", True)] * 5
    assert await shop.sql("select checked from reconciliation_runs") == [(5,)]


async def test_it_happens_once_a_day_by_itself(shop: Shop) -> None:
    for _ in range(2):
        await shop.emit("payment/daily")
    await shop.work()
    assert await shop.sql("select count(*) from reconciliation_runs where finished_at is not null") == [(2,)]


@both
@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ("original_amount = original_amount + 1", OrderFlag.WRONG_AMOUNT),
        ("currency = 'USD'", OrderFlag.WRONG_CURRENCY),
    ],
)
async def test_another_sum_than_ordered_is_flagged_and_hands_nothing_over(
    shop: Shop, provider: Provider, change: str, flag: OrderFlag
) -> None:
    started = await shop.start("new_student", await shop.product(), provider)
    await shop.sql(f"update orders set {change} where id = :id", id=started.order_id)
    await shop.settle(started.order_id)
    for _ in range(2):
        await shop.look(started.order_id)
    order: Any = await shop.order(started.order_id)
    assert (order.status, order.flag, order.pack_id) == (OrderStatus.FAILED, flag, None)
    assert await shop.seat("new_student") is None
    await shop.work()
    mails = [mail["subject"] for mail in shop.sandbox.control.mailbox("admin@example.test")]
    assert mails == ["An order of New Student needs a decision"]
    assert await compared(shop) == [(str(flag), False)]
    await shop.refund(started.order_id, quoted=12_000)
    await shop.work()
    assert (await shop.payment(started.order_id)).refunded_amount == 12_000


async def test_who_paid_long_ago_keeps_the_old_price(shop: Shop) -> None:
    product = await shop.product(price=10_000)
    await shop.buy("new_student", product)
    tomorrow = (clock.now() + timedelta(days=1)).date().isoformat()
    loyal = shop.with_settings(grandfathered_before_date=tomorrow, grandfathered_coupon_id="GRANDFATHERED")
    for provider in Provider:
        started = await loyal.start("new_student", product, provider, "WELCOME10")
        await loyal.settle(started.order_id)
        await loyal.look(started.order_id)
        order = await loyal.order(started.order_id)
        assert (order.status, order.discount_amount, order.total_amount) == (OrderStatus.PAID, 2_000, 8_000)
    newcomer = await loyal.start(await loyal.student(), product)
    assert (await loyal.order(newcomer.order_id)).discount_amount == 0


async def test_products_are_kept_at_the_providers(shop: Shop) -> None:
    product = await shop.product()
    await shop.work()
    query = "select stripe_price_id, paypal_product_id from mentorship_products where id = :id"
    ((price_id, paypal_id),) = await shop.sql(query, id=product)
    assert price_id.startswith("price_")
    assert paypal_id
    await shop.emit("product/publish", product_id=product)
    await shop.work()
    assert await shop.sql(query, id=product) == [(price_id, paypal_id)]
    order_id = await shop.buy("new_student", product)
    assert (await shop.order(order_id)).status is OrderStatus.PAID


async def test_what_an_admin_dealt_with_is_listed_no_more(shop: Shop) -> None:
    order_id = await shop.buy("new_student", await shop.product())
    payment = await shop.payment(order_id)
    wish = {"payment_intent": payment.provider_payment_id, "amount": 1_000}
    shop.sandbox.control.call("POST", "/stripe/refund", wish)
    await shop.look(order_id)
    async with shop.database.unit_of_work(shop.cast.principal("admin")) as uow:
        await settlement.decide(uow, await fulfilment.locked(uow, order_id))
        await uow.commit()
    assert (await shop.order(order_id)).flag is None
    assert await compared(shop) == []
    assert await shop.sql("select action, before from audit_log where action = 'decide'") == [
        ("decide", {"flag": "partial_refund"})
    ]


async def test_nobody_leaves_while_money_is_moving(shop: Shop) -> None:
    started = await shop.start("new_student", await shop.product())
    principal = shop.cast.principal("new_student")
    parts = (shop.database, shop.platform.google, principal, shop.cast["new_student"])
    with pytest.raises(Refused) as refused:
        await forgetting.leave(*parts)
    assert refused.value.code == "money_moving"
    await shop.walk_away(shop.cast["new_student"], started.order_id)
    await shop.work()
    await forgetting.leave(*parts)
