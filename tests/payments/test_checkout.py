"""From the wish to the pack: orders and seats before, during and after the provider's page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.errors import Invalid, NotFound, Refused, Unavailable
from app.packs.models import PackStatus, SeatStatus
from app.payments.gateway import Provider
from app.payments.models import OrderFlag, OrderStatus, PaymentStatus
from tests.payments.shop import PROVIDERS, Shop

TOLD = {Provider.STRIPE: "checkout.session.completed", Provider.PAYPAL: "CHECKOUT.ORDER.APPROVED"}
both = pytest.mark.parametrize("provider", PROVIDERS)


@both
async def test_a_paid_checkout_is_a_pack_and_a_seat(shop: Shop, provider: Provider) -> None:
    product = await shop.product()
    started = await shop.start("new_student", product, provider)
    assert started.url.startswith(shop.sandbox.url)
    assert await shop.seat("new_student") is SeatStatus.HELD
    await shop.settle(started.order_id)
    await shop.look(started.order_id)
    order, pack = await shop.order(started.order_id), await shop.pack(started.order_id)
    payment = await shop.payment(started.order_id)
    assert order.status is OrderStatus.PAID
    assert (payment.status, payment.amount, payment.currency) == (PaymentStatus.COMPLETED, 12_000, "EUR")
    assert (pack.remaining_sessions, pack.status, pack.product_id) == (4, PackStatus.ACTIVE, product)
    assert pack.expires_at - pack.purchased_at == timedelta(days=45)
    assert await shop.seat("new_student") is SeatStatus.ACTIVE
    await shop.work()
    subjects = [mail["subject"] for mail in shop.sandbox.control.mailbox("new-student@example.test")]
    assert subjects == ["Your receipt: 4 sessions with Mentor"]


@both
async def test_looking_again_changes_nothing(shop: Shop, provider: Provider) -> None:
    order_id = await shop.buy("new_student", await shop.product(), provider)
    before = await shop.sql("select count(*), sum(remaining_sessions) from session_packs")
    for _ in range(3):
        await shop.look(order_id)
        await shop.deliver(shop.letterbox.take())
        await shop.work()
    assert await shop.sql("select count(*), sum(remaining_sessions) from session_packs") == before
    assert len(shop.sandbox.control.mailbox("new-student@example.test")) == 1


@both
async def test_the_webhook_alone_is_enough(shop: Shop, provider: Provider) -> None:
    started = await shop.start("new_student", await shop.product(), provider)
    await shop.settle(started.order_id)
    await shop.until_told(TOLD[provider])
    await shop.deliver(shop.letterbox.take())
    await shop.work()
    assert (await shop.order(started.order_id)).status is OrderStatus.PAID
    assert await shop.seat("new_student") is SeatStatus.ACTIVE


async def test_a_declined_capture_leaves_no_seat(shop: Shop) -> None:
    started = await shop.start("new_student", await shop.product(), Provider.PAYPAL)
    await shop.settle(started.order_id, outcome="declined")
    await shop.look(started.order_id)
    assert (await shop.order(started.order_id)).status is OrderStatus.FAILED
    assert await shop.seat("new_student") is None


async def test_a_declined_card_leaves_the_checkout_open_until_its_hold_ends(shop: Shop) -> None:
    started = await shop.start("new_student", await shop.product())
    await shop.settle(started.order_id, outcome="declined")
    await shop.look(started.order_id)
    assert (await shop.order(started.order_id)).status is OrderStatus.PENDING
    shop.advance("PT36M")
    await shop.work()
    assert (await shop.order(started.order_id)).status is OrderStatus.CANCELED
    assert await shop.seat("new_student") is None


@both
async def test_a_pending_payment_is_no_pack(shop: Shop, provider: Provider) -> None:
    started = await shop.start("new_student", await shop.product(), provider)
    await shop.settle(started.order_id, outcome="pending")
    order = await shop.look(started.order_id)
    assert (order.status, order.pack_id) == (OrderStatus.PENDING, None)
    assert await shop.seat("new_student") is SeatStatus.HELD


@both
async def test_abandoned_checkouts_give_the_seat_back(shop: Shop, provider: Provider) -> None:
    started = await shop.start("new_student", await shop.product(), provider)
    await shop.work()
    assert await shop.seat("new_student") is SeatStatus.HELD
    shop.advance("PT35M")
    await shop.work()
    assert (await shop.order(started.order_id)).status is OrderStatus.CANCELED
    assert await shop.seat("new_student") is None


@both
async def test_a_provider_out_of_reach_holds_no_seat(shop: Shop, provider: Provider) -> None:
    product = await shop.product()
    shop.sandbox.control.chaos(provider, error_rate=1, status=503)
    with pytest.raises(Unavailable, match="No seat was kept and nothing was charged"):
        await shop.start("new_student", product, provider)
    assert await shop.seat("new_student") is None
    assert await shop.sql("select status from orders") == [("failed",)]
    shop.sandbox.control.chaos()
    await shop.buy("new_student", product, provider)
    assert await shop.seat("new_student") is SeatStatus.ACTIVE


async def test_the_seat_goes_back_in_time_even_with_the_provider_out_of_reach(shop: Shop) -> None:
    started = await shop.start("new_student", await shop.product())
    shop.sandbox.control.chaos("stripe", error_rate=1, status=503)
    shop.advance("PT35M")
    await shop.work()
    assert await shop.seat("new_student") is None
    assert (await shop.order(started.order_id)).status is OrderStatus.CANCELED


@both
async def test_money_after_the_hold_is_honoured_while_a_seat_is_free(shop: Shop, provider: Provider) -> None:
    started = await shop.start("new_student", await shop.product(), provider)
    await shop.settle(started.order_id)
    await shop.sql("update orders set status = 'canceled', ended_at = now()")
    await shop.sql(
        "update seat_reservations set status = 'released', seat_expires_at = null where status = 'held'"
    )
    await shop.look(started.order_id)
    assert (await shop.order(started.order_id)).status is OrderStatus.PAID
    assert await shop.seat("new_student") is SeatStatus.ACTIVE


async def test_money_after_the_hold_goes_back_when_no_seat_is_free(shop: Shop) -> None:
    started = await shop.start("new_student", await shop.product())
    await shop.settle(started.order_id)
    await shop.sql("update orders set status = 'canceled', ended_at = now()")
    await shop.sql(
        "update seat_reservations set status = 'released', seat_expires_at = null where status = 'held'"
    )
    await shop.seats(1)
    await shop.look(started.order_id)
    await shop.work()
    order, payment = await shop.order(started.order_id), await shop.payment(started.order_id)
    assert (order.status, order.flag, order.pack_id) == (OrderStatus.REFUNDED, OrderFlag.NO_SEAT, None)
    assert (payment.status, payment.refunded_amount) == (PaymentStatus.REFUNDED, 12_000)
    assert [item["amount"] for item in shop.sandbox.control.call("GET", "/stripe/refunds")["items"]] == [
        12_000
    ]
    subjects = [mail["subject"] for mail in shop.sandbox.control.mailbox("new-student@example.test")]
    assert subjects[0] == "Your payment goes back: the seat with Mentor was gone"
    assert any(
        mail["subject"].startswith("A payment of")
        for mail in shop.sandbox.control.mailbox("mentor@example.test")
    )


async def test_no_seat_no_capture(shop: Shop) -> None:
    started = await shop.start("new_student", await shop.product(), Provider.PAYPAL)
    shop.advance("PT36M")
    await shop.work()
    await shop.seats(1)
    await shop.settle(started.order_id)
    await shop.look(started.order_id)
    assert (await shop.order(started.order_id)).status is OrderStatus.CANCELED
    assert shop.sandbox.control.call("GET", "/paypal/captures")["items"] == []


async def test_starting_again_leads_to_the_same_checkout(shop: Shop) -> None:
    product = await shop.product()
    first = await shop.start("new_student", product)
    assert await shop.start("new_student", product) == first


async def test_another_wish_ends_the_first(shop: Shop) -> None:
    product = await shop.product()
    first = await shop.start("new_student", product)
    second = await shop.start("new_student", product, Provider.PAYPAL)
    await shop.work()
    assert (await shop.order(first.order_id)).status is OrderStatus.CANCELED
    assert (await shop.order(second.order_id)).status is OrderStatus.PENDING
    assert await shop.seat("new_student") is SeatStatus.HELD
    assert [one["status"] for one in shop.sandbox.control.call("GET", "/stripe/sessions")["items"]] == [
        "expired"
    ]


async def test_sold_out_means_sold_out(shop: Shop) -> None:
    product = await shop.product()
    await shop.seats(1)
    with pytest.raises(Refused) as refused:
        await shop.start("new_student", product)
    assert refused.value.code == "sold_out"
    assert await shop.sql("select count(*) from orders") == [(0,)]
    await shop.start("student", product)  # who has a seat can buy again


async def test_renewal_during_grace_keeps_the_seat(shop: Shop) -> None:
    product = await shop.product()
    await shop.sql(
        "update seat_reservations set status = 'grace', seat_expires_at = :at where student_id = :id",
        at=clock.now() + timedelta(minutes=10),
        id=shop.cast["student"],
    )
    started = await shop.start("student", product)
    shop.advance("PT20M")
    await shop.work()
    assert await shop.seat("student") is SeatStatus.GRACE
    await shop.settle(started.order_id)
    await shop.look(started.order_id)
    assert await shop.seat("student") is SeatStatus.ACTIVE


async def test_a_code_takes_something_off(shop: Shop) -> None:
    product = await shop.product(price=9_999)
    for provider in PROVIDERS:
        buyer = await shop.student()
        started = await shop.start(buyer, product, provider, "welcome10")
        await shop.settle(started.order_id)
        await shop.look(started.order_id)
        order = await shop.order(started.order_id)
        assert (order.original_amount, order.discount_amount, order.total_amount) == (9_999, 1_000, 8_999)
        assert order.discount_code == "WELCOME10"
        assert order.status is OrderStatus.PAID


@both
async def test_nothing_to_pay_is_a_payment_of_nothing(shop: Shop, provider: Provider) -> None:
    started = await shop.start("new_student", await shop.product(), provider, "HUNDRED")
    if provider is Provider.STRIPE:
        await shop.settle(started.order_id)
        await shop.look(started.order_id)
    payment = await shop.payment(started.order_id)
    assert (payment.amount, payment.status) == (0, PaymentStatus.COMPLETED)
    assert await shop.seat("new_student") is SeatStatus.ACTIVE
    await shop.refund(started.order_id)
    await shop.work()
    assert (await shop.pack(started.order_id)).status is PackStatus.REFUNDED
    assert (await shop.order(started.order_id)).status is OrderStatus.REFUNDED


@pytest.mark.parametrize("code", ["NOSUCH", "x" * 300, "'; drop table orders", "é"])
async def test_an_unknown_code_is_said_so(shop: Shop, code: str) -> None:
    product = await shop.product()
    with pytest.raises(Invalid) as invalid:
        await shop.start("new_student", product, code=code)
    assert list(invalid.value.fields) == ["code"]
    assert await shop.seat("new_student") is None


async def test_what_is_not_on_sale_can_not_be_bought(shop: Shop) -> None:
    product = await shop.product()
    await shop.sql("update mentorship_products set active = false")
    with pytest.raises(NotFound):
        await shop.start("new_student", product)


async def test_a_code_that_leaves_less_than_can_be_charged(shop: Shop) -> None:
    product = await shop.product(price=520)
    with pytest.raises(Invalid) as invalid:
        await shop.start("new_student", product, code="FIVEOFF")
    assert "less than a card can be charged" in invalid.value.fields["code"]
    assert await shop.seat("new_student") is None
