"""Stripe's adapter in front of the sandbox: checkouts from opening to their end."""

from __future__ import annotations

import dataclasses
import time
from uuid import uuid4

import pytest

from app.payments.gateway import (
    CheckoutStatus,
    DisputeStatus,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    RefundStatus,
)
from tests.payments.stripe_desk import Desk, desk, purchase

__all__ = ["desk"]


async def test_a_checkout_is_opened_paid_and_found(desk: Desk) -> None:
    order = purchase(allow_codes=True)
    opened = await desk.stripe.open(order)
    assert opened.url == f"{desk.sandbox.url}/stripe/pay/{opened.session_id}"
    found = await desk.stripe.find(opened.session_id)
    assert (found.order_id, found.status, found.payment_id) == (order.order_id, CheckoutStatus.OPEN, None)
    assert (found.currency, found.subtotal, found.discount, found.tax, found.total) == (
        "EUR",
        12_000,
        0,
        0,
        12_000,
    )
    paid = desk.act("pay", session_id=opened.session_id)
    found = await desk.stripe.find(opened.session_id)
    assert (found.status, found.payment_id) == (CheckoutStatus.PAID, paid["payment_intent"])
    assert (found.refunds, found.dispute, found.discount_code) == ((), None, None)
    assert await desk.stripe.capture(opened.session_id, order.order_id) == found
    assert desk.stripe.provider is Provider.STRIPE


async def test_what_is_sent_names_the_order_and_ends_after_31_minutes_of_machine_time(desk: Desk) -> None:
    order = purchase()
    before = int(time.time())
    await desk.stripe.open(order)
    (sent,) = desk.requests("/v1/checkout/sessions")
    assert sent["headers"]["idempotency-key"] == str(order.order_id)
    assert sent["headers"]["stripe-version"] == "2026-10-28.endive"
    body = sent["body"]
    for place in ("metadata", "payment_intent_data[metadata]"):
        assert body[f"{place}[order_id]"] == str(order.order_id)
        assert body[f"{place}[user_id]"] == str(order.user_id)
        assert body[f"{place}[pack_id]"] == str(order.product_id)
        assert body[f"{place}[mentor_id]"] == str(order.mentor_id)
    assert before + 31 * 60 <= int(body["expires_at"]) <= time.time() + 31 * 60
    assert (body["success_url"], body["cancel_url"]) == (order.success_url, order.cancel_url)
    assert body["customer_email"] == order.email


async def test_a_published_price_is_sold_by_its_id(desk: Desk) -> None:
    product = uuid4()
    price = await desk.stripe.publish(product, title="Pack", amount=9_900, currency="USD", replaces=None)
    opened = await desk.opened(product_id=product, price_id=price, amount=9_900, currency="USD")
    found = await desk.stripe.find(opened.session_id)
    assert (found.subtotal, found.currency) == (9_900, "USD")


async def test_opening_the_same_order_again_gives_the_same_checkout(desk: Desk) -> None:
    order = purchase()
    first = await desk.stripe.open(order)
    later = dataclasses.replace(
        order, cancel_url="http://127.0.0.1:8000/"
    )  # a later end differs in the same way
    assert await desk.stripe.open(later) == first
    assert len(desk.requests("/v1/checkout/sessions")) == 2
    assert len(desk.sandbox.control.call("GET", "/stripe/sessions")["items"]) == 1
    desk.act("pay", session_id=first.session_id)
    with pytest.raises(ProviderRefused, match="idempotency_error"):
        await desk.stripe.open(later)


async def test_a_declined_card_leaves_the_checkout_open(desk: Desk) -> None:
    opened = await desk.opened()
    desk.act("decline", session_id=opened.session_id)
    found = await desk.stripe.find(opened.session_id)
    assert (found.status, found.payment_id) == (CheckoutStatus.OPEN, None)
    desk.act("pay", session_id=opened.session_id)
    assert (await desk.stripe.find(opened.session_id)).status is CheckoutStatus.PAID


@pytest.mark.parametrize(
    ("succeed", "status"), [(True, CheckoutStatus.PAID), (False, CheckoutStatus.DECLINED)]
)
async def test_a_bank_transfer_is_pending_until_it_is_settled(
    desk: Desk, succeed: bool, status: CheckoutStatus
) -> None:
    opened = await desk.opened()
    desk.act("pay", session_id=opened.session_id, **{"async": True})
    found = await desk.stripe.find(opened.session_id)
    assert found.status is CheckoutStatus.PENDING
    assert found.payment_id
    desk.act("settle", session_id=opened.session_id, succeed=succeed)
    settled = await desk.stripe.find(opened.session_id)
    assert (settled.status, settled.payment_id) == (status, found.payment_id)


async def test_an_ended_checkout_can_not_be_paid(desk: Desk) -> None:
    opened = await desk.opened()
    ended = await desk.stripe.end(opened.session_id)
    assert ended.status is CheckoutStatus.EXPIRED
    assert await desk.stripe.end(opened.session_id) == ended, "ending it twice is once"
    refused = desk.sandbox.control.http.post("/stripe/pay", json={"session_id": opened.session_id})
    assert refused.status_code == 400


async def test_ending_what_was_paid_says_that_it_was(desk: Desk) -> None:
    paid = await desk.paid()
    assert await desk.stripe.end(paid.session_id) == paid


async def test_an_unknown_checkout_is_refused_by_name(desk: Desk) -> None:
    for ask in (desk.stripe.find, desk.stripe.end):
        with pytest.raises(ProviderRefused) as raised:
            await ask("cs_test_unknown")
        assert raised.value.code == "resource_missing"


async def test_what_somebody_else_sold_has_no_order_of_ours(desk: Desk) -> None:
    made = desk.api(
        "checkout/sessions",
        **{
            "mode": "payment",
            "success_url": "https://example.test/",
            "metadata[order_id]": "4711",
            "line_items[0][quantity]": 1,
            "line_items[0][price_data][currency]": "eur",
            "line_items[0][price_data][unit_amount]": 900,
            "line_items[0][price_data][product_data][name]": "Mug",
        },
    )
    assert (await desk.stripe.find(made["id"])).order_id is None


async def test_a_refund_is_made_once_for_an_id(desk: Desk) -> None:
    paid, refund_id = await desk.paid(), uuid4()
    first = await desk.refund(paid, 3_000, refund_id)
    assert (first.refund_id, first.amount, first.status) == (refund_id, 3_000, RefundStatus.COMPLETED)
    desk.act("keys/expire")
    assert await desk.refund(paid, 3_000, refund_id) == first, "looked up: its key is gone"
    (made,) = desk.requests("/v1/refunds")
    assert made["headers"]["idempotency-key"] == str(refund_id)
    assert made["body"]["metadata[order_id]"] == str(paid.order_id)
    second = await desk.refund(paid, 9_000)
    assert (await desk.stripe.find(paid.session_id)).refunds == (second, first)


async def test_more_than_was_paid_is_never_refunded(desk: Desk) -> None:
    paid = await desk.paid()
    with pytest.raises(ProviderRefused):
        await desk.refund(paid, 12_001)
    await desk.refund(paid, 12_000)
    with pytest.raises(ProviderRefused) as raised:
        await desk.refund(paid, 1)
    assert raised.value.code == "charge_already_refunded"


async def test_refunds_of_the_dashboard_are_seen_without_an_id_of_ours(desk: Desk) -> None:
    paid = await desk.paid()
    made = desk.act("refund", payment_intent=paid.payment_id, amount=500)
    (found,) = (await desk.stripe.find(paid.session_id)).refunds
    assert (found.provider_refund_id, found.refund_id, found.amount) == (made["id"], None, 500)


async def test_a_refund_that_waits_and_fails(desk: Desk) -> None:
    paid, refund_id = await desk.paid(), uuid4()
    made = await desk.refund(paid, 3_000, refund_id)
    desk.act("refund/delay", refund=made.provider_refund_id)
    (waiting,) = (await desk.stripe.find(paid.session_id)).refunds
    assert waiting.status is RefundStatus.PENDING
    desk.act("refund/fail", refund=made.provider_refund_id)
    failed = await desk.refund(paid, 3_000, refund_id)
    assert (failed.status, failed.provider_refund_id) == (RefundStatus.FAILED, made.provider_refund_id)
    assert (await desk.refund(paid, 12_000)).status is RefundStatus.COMPLETED, "the money was ours again"


async def test_many_refunds_are_read_page_after_page(desk: Desk) -> None:
    paid = await desk.paid()
    for _ in range(101):
        desk.act("refund", payment_intent=paid.payment_id, amount=1)
    found = await desk.stripe.find(paid.session_id)
    assert len({refund.provider_refund_id for refund in found.refunds}) == 101


@pytest.mark.parametrize(("won", "status"), [(True, DisputeStatus.WON), (False, DisputeStatus.LOST)])
async def test_a_dispute_is_seen_until_it_is_decided(desk: Desk, won: bool, status: DisputeStatus) -> None:
    paid = await desk.paid()
    made = desk.act("dispute", payment_intent=paid.payment_id)
    found = await desk.stripe.find(paid.session_id)
    assert (found.dispute, found.dispute_id) == (DisputeStatus.OPEN, made["id"])
    assert desk.requests("/v1/disputes", "GET")
    with pytest.raises(ProviderRefused, match="charge_disputed"):
        await desk.refund(paid, 100)
    desk.act("dispute/close", dispute=made["id"], won=won)
    assert (await desk.stripe.find(paid.session_id)).dispute is status


async def test_undisputed_payments_cost_no_question_about_disputes(desk: Desk) -> None:
    await desk.paid()
    assert desk.requests("/v1/disputes", "GET") == []


async def test_stripe_is_checked_by_one_cheap_question(desk: Desk) -> None:
    await desk.stripe.check()
    desk.sandbox.control.chaos("stripe", revoke=True)
    with pytest.raises(ProviderUnavailable, match="401"):
        await desk.stripe.check()
    desk.sandbox.control.chaos("stripe", error_rate=1, status=503)
    with pytest.raises(ProviderUnavailable):
        await desk.stripe.check()
    assert len(desk.requests("/v1/balance", "GET")) == 3


async def test_currencies_that_stripe_counts_otherwise_keep_our_minor_units(desk: Desk) -> None:
    opened = await desk.opened(amount=15_000, currency="ISK")
    (sent,) = desk.requests("/v1/checkout/sessions")
    assert sent["body"]["line_items[0][price_data][unit_amount]"] == "1500000"
    desk.act("pay", session_id=opened.session_id)
    paid = await desk.stripe.find(opened.session_id)
    assert (paid.total, paid.currency) == (15_000, "ISK")
    assert (await desk.refund(paid, 5_000)).amount == 5_000
    yen = await desk.paid(amount=15_000, currency="JPY")
    assert (yen.total, yen.currency) == (15_000, "JPY")


async def test_a_product_is_published_once_and_its_price_replaced(desk: Desk) -> None:
    product = uuid4()

    async def publish(amount: int, replaces: str | None, title: str = "Pack") -> str:
        return await desk.stripe.publish(
            product, title=title, amount=amount, currency="EUR", replaces=replaces
        )

    first = await publish(9_900, None)
    assert await publish(9_900, None) == first, "asked again, as after a lost answer"
    assert await publish(9_900, first, "Four sessions") == first, "a new title needs no new price"
    second = await publish(12_000, first, "Five sessions")
    back = await publish(9_900, second, "Four sessions")
    assert len({first, second, back}) == 3, "a price that was closed stays closed"
    with pytest.raises(ProviderRefused, match="inactive"):
        await desk.opened(price_id=first)
    with pytest.raises(ProviderRefused, match="inactive"):
        await desk.opened(price_id=second)
    session = (await desk.opened(price_id=back)).session_id
    assert (await desk.stripe.find(session)).subtotal == 9_900
    (line,) = desk.read(f"checkout/sessions/{session}/line_items")["data"]
    assert line["description"] == "Four sessions"
    assert desk.read(f"products/{product}")["metadata"] == {"product_id": str(product)}


async def test_a_price_that_stripe_does_not_know_is_simply_replaced(desk: Desk) -> None:
    price = await desk.stripe.publish(
        uuid4(), title="Pack", amount=9_900, currency="EUR", replaces="price_of_another_account"
    )
    assert (await desk.stripe.find((await desk.opened(price_id=price)).session_id)).subtotal == 9_900
