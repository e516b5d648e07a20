"""Coupons, promotion codes, products and prices at Stripe's stand-in."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.sandbox.stripe_client import act, by_hand, by_sdk, error_of, flat, found, opened, paid
from tests.support.sandbox import RunningSandbox


def coupon(sandbox: RunningSandbox, **params: Any) -> Any:
    return by_sdk(sandbox, lambda v1: v1.coupons.create_async(params))


def code(sandbox: RunningSandbox, coupon_id: str, **params: Any) -> Any:
    promotion = {"type": "coupon", "coupon": coupon_id}
    return by_sdk(sandbox, lambda v1: v1.promotion_codes.create_async({"promotion": promotion, **params}))


def entered(sandbox: RunningSandbox, text: str, **more: Any) -> str:
    """Why a code can't be entered at a new checkout; empty if it can."""
    session = opened(sandbox, allow_promotion_codes=True, **more)
    wish = {"session_id": session.id, "promotion_code": text}
    answer = sandbox.control.http.post("/stripe/pay", json=wish)
    return "" if answer.status_code == 200 else str(answer.json()["error"])


def test_the_discounts_of_the_start(sandbox: RunningSandbox) -> None:
    listed = by_sdk(
        sandbox, lambda v1: v1.promotion_codes.list_async({"expand": ["data.promotion.coupon"]})
    ).data
    worth = {one.code: (one.promotion.coupon.percent_off, one.promotion.coupon.amount_off) for one in listed}
    assert worth == {"WELCOME10": (10.0, None), "HUNDRED": (100.0, None), "FIVEOFF": (None, 500)}
    old = by_sdk(sandbox, lambda v1: v1.coupons.retrieve_async("GRANDFATHERED"))
    assert (old.percent_off, old.duration, old.valid) == (20.0, "forever", True)


def test_a_code_is_found_without_regard_to_case_and_carries_its_coupon(sandbox: RunningSandbox) -> None:
    (one,) = by_sdk(
        sandbox, lambda v1: v1.promotion_codes.list_async({"code": "welcome10", "active": True})
    ).data
    assert one.promotion.to_dict() == {"type": "coupon", "coupon": "WELCOME"}
    assert by_sdk(sandbox, lambda v1: v1.promotion_codes.retrieve_async(one.id)).code == "WELCOME10"
    by_sdk(sandbox, lambda v1: v1.promotion_codes.update_async(one.id, {"active": False}))
    assert (
        by_sdk(sandbox, lambda v1: v1.promotion_codes.list_async({"code": "WELCOME10", "active": True})).data
        == []
    )
    assert "invalid" in entered(sandbox, "WELCOME10")


def test_a_code_is_told_with_what_it_took_off(sandbox: RunningSandbox) -> None:
    session = opened(sandbox, allow_promotion_codes=True)
    done = act(sandbox, "pay", session_id=session.id, promotion_code="welcome10")
    assert (done["amount_total"], done["total_details"]["amount_discount"]) == (10_800, 1_200)
    whole = found(sandbox, session.id, "total_details.breakdown", "discounts.promotion_code", "line_items")
    assert whole.discounts[0].promotion_code.code == "WELCOME10"
    assert whole.discounts[0].promotion_code.times_redeemed == 1
    (part,) = whole.total_details.breakdown.discounts
    assert (part.amount, part.discount.source.coupon) == (1_200, "WELCOME")
    assert [line.amount_discount for line in whole.line_items.data] == [1_200]


def test_a_discount_is_spread_over_the_lines(sandbox: RunningSandbox) -> None:
    data = {"currency": "eur", "unit_amount": 333, "product_data": {"name": "Pack"}}
    items = [{"quantity": n, "price_data": data} for n in (1, 1, 2)]
    session = opened(sandbox, line_items=items, discounts=[{"coupon": "FIVE"}])
    lines = found(sandbox, session.id, "line_items").line_items.data
    assert sum(line.amount_discount for line in lines) == session.total_details.amount_discount == 500
    assert all(line.amount_total == line.amount_subtotal - line.amount_discount for line in lines)


@pytest.mark.parametrize(
    ("percent", "amount", "off"),
    [("12.5", 1_004, 126), ("10", 1_005, 101), ("33.33", 1_000, 333), ("100", 999, 999)],
)
def test_half_a_cent_is_rounded_up(sandbox: RunningSandbox, percent: str, amount: int, off: int) -> None:
    made = coupon(sandbox, percent_off=percent)
    data = {"currency": "eur", "unit_amount": amount, "product_data": {"name": "Pack"}}
    session = opened(
        sandbox, line_items=[{"quantity": 1, "price_data": data}], discounts=[{"coupon": made.id}]
    )
    assert session.total_details.amount_discount == off


def test_codes_keep_their_limits(sandbox: RunningSandbox) -> None:
    base = coupon(sandbox, percent_off="10").id
    code(sandbox, base, code="ONCE", max_redemptions=1)
    code(sandbox, base, code="OVER", expires_at=int(time.time()) - 1)
    code(sandbox, base, code="HERS", customer="cus_1")
    code(sandbox, base, code="FIRST", restrictions={"first_time_transaction": True})
    smallest = {"minimum_amount": 12_001, "minimum_amount_currency": "eur"}
    code(sandbox, base, code="LARGE", restrictions=smallest)
    code(sandbox, coupon(sandbox, percent_off="10", max_redemptions=1).id, code="COUPON")
    other = coupon(sandbox, percent_off="10", applies_to={"products": ["prod_other"]}).id
    code(sandbox, other, code="ELSE")
    code(sandbox, coupon(sandbox, amount_off=100, currency="usd").id, code="DOLLARS")
    assert entered(sandbox, "once") == ""
    assert "invalid" in entered(sandbox, "ONCE")
    assert "invalid" in entered(sandbox, "OVER")
    assert "customer" in entered(sandbox, "HERS")
    assert "prior transactions" in entered(sandbox, "FIRST")
    assert entered(sandbox, "FIRST", customer_email="first@example.test") == ""
    assert "minimum" in entered(sandbox, "LARGE")
    assert entered(sandbox, "COUPON") == ""
    assert "invalid" in entered(sandbox, "COUPON")
    assert "does not apply" in entered(sandbox, "ELSE")
    assert "currency" in entered(sandbox, "DOLLARS")


def test_a_code_that_was_used_up_while_a_buyer_hesitated_is_refused(sandbox: RunningSandbox) -> None:
    made = code(sandbox, coupon(sandbox, percent_off="10").id, max_redemptions=1)
    first, second = (opened(sandbox, discounts=[{"promotion_code": made.id}]) for _ in range(2))
    act(sandbox, "pay", session_id=first.id)
    assert sandbox.control.http.post("/stripe/pay", json={"session_id": second.id}).status_code == 400


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("coupons", {}),
        ("coupons", {"percent_off": "10", "amount_off": "5"}),
        ("coupons", {"percent_off": "0"}),
        ("coupons", {"percent_off": "101"}),
        ("coupons", {"percent_off": "1.005"}),
        ("coupons", {"amount_off": "5"}),
        ("coupons", {"percent_off": "10", "id": "WELCOME"}),
        ("coupons", {"percent_off": "10", "colour": "blue"}),
        ("promotion_codes", {"code": "NEW", "coupon": "WELCOME"}),
        ("promotion_codes", {"code": "NEW"}),
        ("promotion_codes", {"code": "NEW", "promotion[coupon]": "WELCOME"}),
        ("promotion_codes", {"code": "NEW", "promotion[type]": "coupon", "promotion[coupon]": "NOPE"}),
        (
            "promotion_codes",
            {"code": "welcome10", "promotion[type]": "coupon", "promotion[coupon]": "WELCOME"},
        ),
        ("promotion_codes", {"code": "N W", "promotion[type]": "coupon", "promotion[coupon]": "WELCOME"}),
        (
            "promotion_codes",
            {
                "promotion[type]": "coupon",
                "promotion[coupon]": "WELCOME",
                "restrictions[minimum_amount]": "100",
            },
        ),
        ("products", {}),
        ("products", {"name": "Pack", "id": "a b"}),
        ("prices", {"currency": "eur", "unit_amount": "100", "product": "prod_unknown"}),
        ("prices", {"currency": "eur", "unit_amount": "100"}),
        ("prices", {"currency": "bhd", "unit_amount": "101", "product": "prod_1"}),
    ],
)
def test_stripe_refuses_and_says_why(sandbox: RunningSandbox, path: str, params: dict[str, str]) -> None:
    error_of(by_hand(sandbox, path, params))


def test_a_product_is_kept_under_our_id_and_its_price_closed(sandbox: RunningSandbox) -> None:
    made = by_sdk(
        sandbox, lambda v1: v1.products.create_async({"id": "ours", "name": "Pack", "metadata": {"a": "b"}})
    )
    assert (made.id, made.active, made.metadata.to_dict()) == ("ours", True, {"a": "b"})
    again = error_of(by_hand(sandbox, "products", {"id": "ours", "name": "Pack"}))
    assert again["code"] == "resource_already_exists"
    by_sdk(sandbox, lambda v1: v1.products.update_async("ours", {"name": "Four sessions"}))
    assert by_sdk(sandbox, lambda v1: v1.products.retrieve_async("ours")).name == "Four sessions"
    wish = {"product": "ours", "currency": "EUR", "unit_amount": 9_900}
    price = by_sdk(sandbox, lambda v1: v1.prices.create_async(wish))
    assert (price.currency, price.unit_amount, price.type) == ("eur", 9_900, "one_time")
    error_of(by_hand(sandbox, f"prices/{price.id}", {"unit_amount": "1"}))
    assert not by_sdk(sandbox, lambda v1: v1.prices.update_async(price.id, {"active": False})).active
    whole = by_sdk(sandbox, lambda v1: v1.prices.retrieve_async(price.id, {"expand": ["product"]}))
    assert whole.product.name == "Four sessions"
    error_of(by_hand(sandbox, "products/unknown", method="GET"), 404)


def test_nested_names_are_written_with_brackets() -> None:
    assert flat({"a": [{"b": True}], "c": {"d": 1}}) == {"a[0][b]": "true", "c[d]": "1"}


def test_paid_sessions_redeem_their_coupon(sandbox: RunningSandbox) -> None:
    paid(sandbox, discounts=[{"coupon": "GRANDFATHERED"}])
    assert by_sdk(sandbox, lambda v1: v1.coupons.retrieve_async("GRANDFATHERED")).times_redeemed == 1
