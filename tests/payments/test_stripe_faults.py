"""Stripe's adapter when Stripe fails: what is unknown, what is refused, and that nothing is done twice."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from app.payments.gateway import CheckoutStatus, ProviderRefused, ProviderUnavailable, RefundStatus
from app.payments.stripe import StripeGateway
from tests.payments.stripe_desk import Desk, purchase, stripe_settings
from tests.support.sandbox import RunningSandbox

SESSIONS = "POST /v1/checkout/sessions"


@pytest.fixture
async def desk(sandbox: RunningSandbox) -> AsyncIterator[Desk]:
    """The adapter in front of a fresh sandbox, which gives up after 0.5 s."""
    gateway = StripeGateway(stripe_settings(sandbox, stripe_timeout_seconds=0.5))
    yield Desk(gateway, sandbox)
    await gateway.close()


def sessions(desk: Desk) -> int:
    """How many checkout sessions Stripe has."""
    return len(desk.sandbox.control.call("GET", "/stripe/sessions")["items"])


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_stripe_that_fails_before_the_work_is_unavailable(desk: Desk, status: int) -> None:
    desk.sandbox.control.chaos("stripe", error_rate=1, status=status)
    with pytest.raises(ProviderUnavailable):
        await desk.opened()
    assert sessions(desk) == 0


async def test_a_503_is_tried_again_under_the_same_key(desk: Desk) -> None:
    desk.sandbox.control.chaos("stripe", error_rate=1, status=503, count=2, after=True)
    opened = await desk.opened()
    assert len({one["headers"]["idempotency-key"] for one in desk.requests("sessions")}) == 1
    assert len(desk.requests("sessions")) == 3
    assert sessions(desk) == 1, "it was done the first time"
    assert (await desk.stripe.find(opened.session_id)).status is CheckoutStatus.OPEN


async def test_a_lost_answer_to_opening_is_unknown_and_found_when_asked_again(desk: Desk) -> None:
    desk.sandbox.control.chaos("stripe", error_rate=1, status=500, after=True, match=SESSIONS, count=1)
    order = purchase()
    with pytest.raises(ProviderUnavailable):
        await desk.stripe.open(order)
    assert sessions(desk) == 1
    later = dataclasses.replace(
        order, cancel_url="http://127.0.0.1:8000/"
    )  # a later end differs in the same way
    opened = await desk.stripe.open(later)
    assert sessions(desk) == 1
    assert (await desk.stripe.find(opened.session_id)).order_id == order.order_id


async def test_no_answer_in_time_is_unavailable(desk: Desk) -> None:
    desk.sandbox.control.chaos("stripe", latency_ms=60_000)
    with pytest.raises(ProviderUnavailable):
        await desk.stripe.check()


async def test_nobody_there_is_unavailable(sandbox: RunningSandbox) -> None:
    nowhere = StripeGateway(stripe_settings(sandbox, stripe_url="http://127.0.0.1:9"))
    with pytest.raises(ProviderUnavailable):
        await nowhere.check()
    await nowhere.close()


async def test_a_refund_whose_answer_was_lost_is_found_and_not_made_again(desk: Desk) -> None:
    paid, refund_id = await desk.paid(), uuid4()
    desk.sandbox.control.chaos(
        "stripe", error_rate=1, status=500, after=True, match="POST /v1/refunds", count=1
    )
    with pytest.raises(ProviderUnavailable):
        await desk.refund(paid, 3_000, refund_id)
    found = await desk.refund(paid, 3_000, refund_id)
    assert (found.refund_id, found.status) == (refund_id, RefundStatus.COMPLETED)
    assert len(desk.requests("/v1/refunds")) == 1, "the second time it was only looked up"


async def test_a_refund_that_was_not_made_is_made_the_next_time(desk: Desk) -> None:
    paid, refund_id = await desk.paid(), uuid4()
    desk.sandbox.control.chaos("stripe", error_rate=1, status=500, match="POST /v1/refunds", count=1)
    with pytest.raises(ProviderUnavailable):
        await desk.refund(paid, 3_000, refund_id)
    assert (await desk.refund(paid, 3_000, refund_id)).status is RefundStatus.COMPLETED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price_id": "price_unknown"}, "resource_missing"),
        ({"amount": 10}, "amount_too_small"),
        ({"email": "nobody"}, "invalid_request_error"),
        ({"title": ""}, "parameter_invalid_empty"),
    ],
)
async def test_a_definite_no_is_refused_by_stripes_code(
    desk: Desk, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(ProviderRefused) as raised:
        await desk.opened(**changes)
    assert raised.value.code == code
