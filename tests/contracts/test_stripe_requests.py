"""What our adapter sends to Stripe, and what comes back, against Stripe's own description."""

from __future__ import annotations

from uuid import uuid4

from tests.contracts.specs import answers_valid, needs_specs, requests_valid
from tests.payments.stripe_desk import Desk, desk

__all__ = ["desk"]
pytestmark = needs_specs


async def use_everything(desk: Desk) -> None:
    """Every call that the adapter makes, with much and with little in it."""
    stripe, product = desk.stripe, uuid4()
    await stripe.check()
    price = await stripe.publish(product, title="Pack", amount=9_900, currency="EUR", replaces=None)
    price = await stripe.publish(product, title="Pack", amount=10_000, currency="EUR", replaces=price)
    code, coupon = await stripe.discount("welcome10"), await stripe.coupon("GRANDFATHERED")
    assert code
    for changes in ({"price_id": price}, {"discount": code}, {"discount": coupon}, {"allow_codes": True}):
        opened = await desk.opened(**changes)
        await stripe.find(opened.session_id)
        await stripe.end(opened.session_id)
        await stripe.end(opened.session_id)
    paid = await desk.paid(discount=code)
    await desk.refund(paid, 500)
    desk.act("dispute", payment_intent=paid.payment_id)
    await stripe.find(paid.session_id)
    await desk.paid(discount=await stripe.discount("HUNDRED"))
    waiting = await desk.opened()
    desk.act("decline", session_id=waiting.session_id)
    await stripe.find(waiting.session_id)
    desk.act("pay", session_id=waiting.session_id, **{"async": True})
    await stripe.find(waiting.session_id)


async def test_everything_we_send_meets_the_contract(desk: Desk) -> None:
    await use_everything(desk)
    recorded = desk.sandbox.control.requests("stripe")
    requests, answers = requests_valid(recorded), answers_valid(recorded)
    assert requests.problems == []
    assert answers.problems == []
    sent = {(item["method"], item["path"].split("/")[2]) for item in recorded}
    assert sent == {
        ("GET", "balance"),
        ("POST", "products"),
        ("POST", "prices"),
        ("GET", "prices"),
        ("GET", "promotion_codes"),
        ("GET", "coupons"),
        ("POST", "checkout"),
        ("GET", "checkout"),
        ("POST", "refunds"),
        ("GET", "refunds"),
        ("GET", "disputes"),
    }
    assert requests.checked >= 25
    assert {item["headers"]["stripe-version"] for item in recorded} == {"2026-10-28.endive"}


async def test_writing_carries_a_key_and_reading_none(desk: Desk) -> None:
    await use_everything(desk)
    for item in desk.sandbox.control.requests("stripe"):
        assert ("idempotency-key" in item["headers"]) == (item["method"] == "POST"), item["path"]


async def test_only_expected_refusals_happen(desk: Desk) -> None:
    await use_everything(desk)
    refused = [item for item in desk.sandbox.control.requests("stripe") if item["status"] != 200]
    assert {
        (item["path"].rpartition("/")[2], item["status"])
        for item in refused
        if "/products/" not in item["path"]
    } == {("expire", 400)}
    assert [item["status"] for item in refused if "/products/" in item["path"]] == [404], (
        "its first publication"
    )
