"""Codes and coupons: what our own words say they take off is what Stripe takes off."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.payments.gateway import CheckoutStatus, Discount, ProviderRefused
from tests.payments.stripe_desk import Desk, desk

__all__ = ["desk"]

BY_PERCENT = {"percent_off": "10", "duration": "forever"}


def make_code(desk: Desk, code: str = "SPRING", coupon: dict[str, Any] | None = None, **more: Any) -> str:
    """A promotion code for a new coupon; gives its id."""
    made = desk.api("coupons", **(coupon or BY_PERCENT))
    return str(
        desk.api(
            "promotion_codes",
            **{"promotion[type]": "coupon", "promotion[coupon]": made["id"], "code": code, **more},
        )["id"]
    )


async def test_a_code_is_found_whatever_the_case_of_its_letters(desk: Desk) -> None:
    found = await desk.stripe.discount(" welcome10 ")
    assert found is not None
    assert (found.code, found.percent_off, found.is_coupon) == ("WELCOME10", 10.0, False)
    assert found.off(12_000, "EUR") == 1_200
    five = await desk.stripe.discount("FIVEOFF")
    assert five is not None
    assert (five.amount_off, five.currency, five.percent_off) == (500, "EUR", None)
    assert (five.off(12_000, "EUR"), five.off(12_000, "USD"), five.off(300, "EUR")) == (500, 0, 300)


@pytest.mark.parametrize("code", ["", "  ", "NOPE", "two words", "ÄÖÜ", "x" * 600, "a,b", "WELCOME10%"])
async def test_what_is_no_code_takes_nothing_off(desk: Desk, code: str) -> None:
    assert await desk.stripe.discount(code) is None


@pytest.mark.parametrize(
    "limits",
    [
        {"restrictions[first_time_transaction]": "true"},
        {"customer": "cus_somebody"},
        {"active": "false"},
        {"expires_at": "1000000000"},
        {"coupon": {"percent_off": "10", "applies_to[products][0]": "prod_other"}},
        {"coupon": {"percent_off": "10", "redeem_by": "1000000000"}},
    ],
)
async def test_codes_that_are_not_for_everybody_and_everything_now_are_left_to_stripe(
    desk: Desk, limits: dict[str, Any]
) -> None:
    make_code(desk, **limits)
    assert await desk.stripe.discount("SPRING") is None


async def test_a_code_that_was_used_up_is_none_any_more(desk: Desk) -> None:
    make_code(desk, max_redemptions="1")
    found = await desk.stripe.discount("SPRING")
    await desk.paid(discount=found)
    assert await desk.stripe.discount("SPRING") is None
    with pytest.raises(ProviderRefused):
        await desk.opened(discount=found)


async def test_a_smallest_amount_is_kept(desk: Desk) -> None:
    limits = {"restrictions[minimum_amount]": "10000", "restrictions[minimum_amount_currency]": "eur"}
    make_code(desk, **limits)
    found = await desk.stripe.discount("SPRING")
    assert found is not None
    assert [found.off(amount, "EUR") for amount in (9_999, 10_000)] == [0, 1_000]
    assert found.off(20_000, "USD") == 0
    assert (await desk.paid(discount=found, amount=10_000)).total == 9_000
    with pytest.raises(ProviderRefused):
        await desk.opened(discount=found, amount=9_999)


async def test_the_grandfathered_coupon_is_applied_by_itself_and_takes_no_other_code(desk: Desk) -> None:
    coupon = await desk.stripe.coupon("GRANDFATHERED")
    assert (coupon.code, coupon.percent_off, coupon.is_coupon) == ("GRANDFATHERED", 20.0, True)
    opened = await desk.opened(discount=coupon, allow_codes=True)
    refused = desk.sandbox.control.http.post(
        "/stripe/pay", json={"session_id": opened.session_id, "promotion_code": "WELCOME10"}
    )
    assert refused.status_code == 400
    desk.act("pay", session_id=opened.session_id)
    paid = await desk.stripe.find(opened.session_id)
    assert (paid.subtotal, paid.discount, paid.total, paid.discount_code) == (
        12_000,
        2_400,
        9_600,
        "GRANDFATHERED",
    )


async def test_coupons_that_can_not_be_used_are_refused(desk: Desk) -> None:
    desk.api("coupons", id="OVER", percent_off="10", redeem_by="1000000000")
    desk.api("coupons", id="SOME", percent_off="10", **{"applies_to[products][0]": "prod_other"})
    for coupon, code in (
        ("NOPE", "resource_missing"),
        ("OVER", "coupon_expired"),
        ("SOME", "coupon_restricted"),
    ):
        with pytest.raises(ProviderRefused) as raised:
            await desk.stripe.coupon(coupon)
        assert raised.value.code == code


async def test_a_code_entered_at_stripe_is_told(desk: Desk) -> None:
    opened = await desk.opened(allow_codes=True)
    desk.act("pay", session_id=opened.session_id, promotion_code="fiveoff")
    paid = await desk.stripe.find(opened.session_id)
    assert (paid.subtotal, paid.discount, paid.total, paid.discount_code) == (12_000, 500, 11_500, "FIVEOFF")


async def test_a_code_that_takes_all_off_leaves_a_payment_of_nothing(desk: Desk) -> None:
    free = await desk.stripe.discount("HUNDRED")
    paid = await desk.paid(discount=free)
    assert (paid.status, paid.total, paid.discount, paid.payment_id) == (CheckoutStatus.PAID, 0, 12_000, None)


PERCENTS = st.integers(1, 10_000).map(lambda hundredths: hundredths / 100)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amount=st.integers(0, 1_000_000),
    percent=PERCENTS,
    fixed=st.integers(1, 1_000_000),
    by_share=st.booleans(),
)
async def test_our_discount_is_what_stripe_charges_less(
    desk: Desk, amount: int, percent: float, fixed: int, by_share: bool
) -> None:
    coupon_id = f"C{uuid4().hex}"
    params = {"percent_off": f"{percent:.2f}"} if by_share else {"amount_off": str(fixed), "currency": "eur"}
    desk.api("coupons", id=coupon_id, **params)
    discount = await desk.stripe.coupon(coupon_id)
    off = discount.off(amount, "EUR")
    assert 0 <= off <= amount
    if 0 < amount - off < 50:
        with pytest.raises(ProviderRefused, match="amount_too_small"):
            await desk.opened(amount=amount, discount=discount)
        return
    found = await desk.stripe.find((await desk.opened(amount=amount, discount=discount)).session_id)
    assert (found.subtotal, found.discount, found.total) == (amount, off, amount - off)


@given(amount=st.integers(0, 10**9), percent=PERCENTS)
def test_a_share_is_rounded_half_up_to_the_minor_unit(amount: int, percent: float) -> None:
    off = Discount(code="X", percent_off=percent, provider_reference="X").off(amount, "EUR")
    exact = amount * round(percent * 100)  # in ten-thousandths of a minor unit
    assert -5_000 <= exact - off * 10_000 < 5_000
    assert off == amount or percent < 100
