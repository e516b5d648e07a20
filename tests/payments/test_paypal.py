"""PayPal's adapter in front of the sandbox: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.payments.gateway import (
    CheckoutStatus,
    Discount,
    DisputeStatus,
    Provider,
    ProviderRefused,
    RefundStatus,
)
from app.payments.paypal import PayPalGateway
from tests.payments.paypal_desk import Desk, paypal_settings, purchase
from tests.support.sandbox import RunningSandbox

TEN = Discount(code="WELCOME10", percent_off=10.0, provider_reference="promo_1")


@pytest.fixture
async def desk(sandbox: RunningSandbox) -> AsyncIterator[Desk]:
    """The adapter in front of a fresh sandbox."""
    gateway = PayPalGateway(paypal_settings(sandbox))
    yield Desk(gateway, sandbox)
    await gateway.close()


def test_it_is_paypal() -> None:
    assert PayPalGateway.provider is Provider.PAYPAL


async def test_an_opened_checkout_waits_for_its_buyer(desk: Desk) -> None:
    wanted, opened = await desk.opened()
    assert opened.url == f"{desk.sandbox.url}/paypal/approve/{opened.session_id}"
    state = await desk.paypal.find(opened.session_id)
    assert (state.session_id, state.order_id) == (opened.session_id, wanted.order_id)
    assert (state.status, state.payment_id) == (CheckoutStatus.OPEN, None)
    assert (state.subtotal, state.discount, state.tax, state.total) == (12_000, 0, 0, 12_000)
    assert (state.currency, state.refunds, state.dispute) == ("EUR", (), None)


async def test_the_same_order_is_the_same_checkout(desk: Desk) -> None:
    wanted, opened = await desk.opened()
    assert await desk.paypal.open(wanted) == opened
    assert len(desk.held("orders")) == 1


async def test_the_buyer_comes_back_to_our_addresses(desk: Desk) -> None:
    _, opened = await desk.opened(success_url="http://127.0.0.1:8000/done?a=1")
    location = desk.act("approve", order_id=opened.session_id)["location"]
    assert location.startswith(f"http://127.0.0.1:8000/done?a=1&token={opened.session_id}&PayerID=")
    assert desk.act("decline", order_id=opened.session_id)["location"] == (
        f"http://127.0.0.1:8000/checkout/cancel?token={opened.session_id}"
    )


@pytest.mark.parametrize(
    ("discount", "amount", "currency", "off"),
    [
        (TEN, 12_000, "EUR", 1_200),
        (TEN, 9_995, "EUR", 1_000),
        (Discount(code="FIVE", amount_off=500, currency="EUR", provider_reference="p"), 12_000, "EUR", 500),
        (Discount(code="FIVE", amount_off=500, currency="EUR", provider_reference="p"), 12_000, "USD", 0),
        (Discount(code="THIRD", percent_off=33.33, provider_reference="p"), 9_999, "JPY", 3_333),
    ],
)
async def test_our_discount_is_taken_off(
    desk: Desk, discount: Discount, amount: int, currency: str, off: int
) -> None:
    state = await desk.paid(discount=discount, amount=amount, currency=currency)
    assert (state.subtotal, state.discount, state.total) == (amount, off, amount - off)
    assert (state.currency, state.status) == (currency, CheckoutStatus.PAID)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    amount=st.integers(1_000, 5_000_000),
    percent=st.floats(0.01, 99, allow_nan=False).map(lambda value: round(value, 2)),
    currency=st.sampled_from(["EUR", "USD", "JPY", "GBP"]),
)
async def test_every_discounted_price_is_one_that_paypal_takes(
    desk: Desk, amount: int, percent: float, currency: str
) -> None:
    discount = Discount(code="X", percent_off=percent, provider_reference="p")
    _, opened = await desk.opened(amount=amount, currency=currency, discount=discount)
    state = await desk.paypal.find(opened.session_id)
    assert (state.subtotal, state.total) == (amount, amount - discount.off(amount, currency))
    assert state.subtotal - state.discount == state.total


async def test_an_approved_checkout_is_captured_once(desk: Desk) -> None:
    wanted, session_id = await desk.approved()
    assert (await desk.paypal.find(session_id)).status is CheckoutStatus.APPROVED
    state = await desk.paypal.capture(session_id, wanted.order_id)
    assert state.status is CheckoutStatus.PAID
    assert state.payment_id == desk.held("captures")[0]["id"]
    assert await desk.paypal.capture(session_id, wanted.order_id) == state
    desk.act("keys/expire")
    assert await desk.paypal.capture(session_id, wanted.order_id) == state, (
        "also once PayPal forgot the request"
    )
    assert await desk.paypal.find(session_id) == state
    assert len(desk.held("captures")) == 1


async def test_what_nobody_approved_is_not_captured(desk: Desk) -> None:
    wanted, opened = await desk.opened()
    state = await desk.paypal.capture(opened.session_id, wanted.order_id)
    assert state.status is CheckoutStatus.OPEN
    assert (await desk.paypal.end(opened.session_id)).status is CheckoutStatus.OPEN


async def test_a_declined_capture_brings_nothing(desk: Desk) -> None:
    wanted, session_id = await desk.approved("declined")
    state = await desk.paypal.capture(session_id, wanted.order_id)
    assert (state.status, state.payment_id) == (CheckoutStatus.DECLINED, None)
    assert (await desk.paypal.find(session_id)).status is CheckoutStatus.APPROVED


@pytest.mark.parametrize(
    ("succeed", "status"), [(True, CheckoutStatus.PAID), (False, CheckoutStatus.DECLINED)]
)
async def test_a_pending_capture_is_pending_until_it_is_settled(
    desk: Desk, succeed: bool, status: CheckoutStatus
) -> None:
    state = await desk.paid("pending")
    assert state.status is CheckoutStatus.PENDING
    desk.act("settle", capture_id=state.payment_id, succeed=succeed)
    settled = await desk.paypal.find(state.session_id)
    assert (settled.status, settled.payment_id) == (status, state.payment_id)


async def test_a_forgotten_order_is_expired(desk: Desk) -> None:
    wanted, opened = await desk.opened()
    desk.act("expire", order_id=opened.session_id)
    state = await desk.paypal.find(opened.session_id)
    assert (state.status, state.order_id, state.total) == (CheckoutStatus.EXPIRED, None, 0)
    assert await desk.paypal.end(opened.session_id) == state
    assert await desk.paypal.capture(opened.session_id, wanted.order_id) == state


@pytest.mark.parametrize("odd", ["cs_test_1", "../orders", "order id"])
async def test_an_id_that_is_none_of_paypals_is_refused(desk: Desk, odd: str) -> None:
    with pytest.raises(ProviderRefused):
        await desk.paypal.find(odd)


async def test_a_refund_is_made_once(desk: Desk) -> None:
    state = await desk.paid()
    refund_id = uuid4()
    made = await desk.refund(state, 5_000, refund_id)
    assert (made.refund_id, made.amount, made.status) == (refund_id, 5_000, RefundStatus.COMPLETED)
    assert await desk.refund(state, 5_000, refund_id) == made
    desk.act("keys/expire")
    assert await desk.refund(state, 5_000, refund_id) == made
    after = await desk.paypal.find(state.session_id)
    assert (after.refunds, after.status, after.total) == ((made,), CheckoutStatus.PAID, 12_000)
    await desk.refund(state, 7_000)
    assert (await desk.paypal.find(state.session_id)).status is CheckoutStatus.PAID


async def test_a_refund_that_cannot_be_is_refused(desk: Desk) -> None:
    state = await desk.paid()
    with pytest.raises(ProviderRefused) as refused:
        await desk.refund(state, 12_001)
    assert refused.value.code == "REFUND_AMOUNT_EXCEEDED"
    pending = await desk.paid("pending")
    with pytest.raises(ProviderRefused, match="PENDING_CAPTURE"):
        await desk.refund(pending, 1)
    assert desk.held("refunds") == []


async def test_refunds_of_the_dashboard_are_not_ours(desk: Desk) -> None:
    state = await desk.paid()
    desk.act("refund", capture_id=state.payment_id, amount="20.00")
    desk.act("reverse", capture_id=state.payment_id)
    after = await desk.paypal.find(state.session_id)
    assert [(refund.refund_id, refund.amount) for refund in after.refunds] == [(None, 2_000), (None, 10_000)]


async def test_a_dispute_is_found_by_its_id(desk: Desk) -> None:
    state = await desk.paid()
    dispute_id = desk.act("dispute", capture_id=state.payment_id)["dispute_id"]
    assert (await desk.paypal.find(state.session_id)).dispute is None, "PayPal doesn't list them"
    for step, status in (("", DisputeStatus.OPEN), ("dispute/update", DisputeStatus.OPEN)):
        if step:
            desk.act(step, dispute_id=dispute_id)
        found = await desk.paypal.find(state.session_id, dispute_id)
        assert (found.dispute, found.dispute_id) == (status, dispute_id)


@pytest.mark.parametrize(("won", "status"), [(True, DisputeStatus.WON), (False, DisputeStatus.LOST)])
async def test_a_dispute_is_won_or_lost(desk: Desk, won: bool, status: DisputeStatus) -> None:
    state = await desk.paid()
    dispute_id = desk.act("dispute", capture_id=state.payment_id)["dispute_id"]
    desk.act("dispute/close", dispute_id=dispute_id, won=won)
    assert (await desk.paypal.find(state.session_id, dispute_id)).dispute is status


async def test_a_dispute_about_something_else_is_not_this_checkouts(desk: Desk) -> None:
    state, other = await desk.paid(), await desk.paid()
    dispute_id = desk.act("dispute", capture_id=other.payment_id)["dispute_id"]
    assert await desk.paypal.find(state.session_id, dispute_id) == state
    assert await desk.paypal.find(state.session_id, "PP-D-0") == state


async def test_a_price_of_nothing_is_refused(desk: Desk) -> None:
    everything = Discount(code="HUNDRED", percent_off=100.0, provider_reference="p")
    with pytest.raises(ProviderRefused) as refused:
        await desk.paypal.open(purchase(discount=everything))
    assert refused.value.code == "CANNOT_BE_ZERO_OR_NEGATIVE"


async def test_long_and_odd_titles_are_taken(desk: Desk) -> None:
    _, opened = await desk.opened(title="Größe „12“ <b> " * 20, mentor_name="名" * 200)
    assert (await desk.paypal.find(opened.session_id)).status is CheckoutStatus.OPEN


async def test_a_product_is_published_once(desk: Desk) -> None:
    product_id = uuid4()
    wish = {"title": "Four sessions", "amount": 12_000, "currency": "EUR"}
    first = await desk.paypal.publish(product_id, **wish, replaces=None)  # type: ignore[arg-type]
    assert first == await desk.paypal.publish(product_id, **wish, replaces=None)  # type: ignore[arg-type]
    assert first == await desk.paypal.publish(product_id, **wish, replaces=first)  # type: ignore[arg-type]


async def test_the_check_asks_for_a_token_each_time(desk: Desk) -> None:
    await desk.paypal.check()
    await desk.paypal.check()
    assert len(desk.requests("/v1/oauth2/token")) == 2
