"""Coupons and promotion codes: making them, and what they take off."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.stripe.contract import (
    PAGING,
    Many,
    currency,
    exactly_one,
    flag,
    members,
    metadata,
    one_of,
    percent,
    text,
    whole,
)
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.money import share
from sandbox.stripe.things import Shelf, Thing, new_id, now

COUPON = members(
    "",
    amount_off=whole(1),
    applies_to=members("products", products=Many(text())),
    currency=currency,
    duration=one_of("forever", "once"),
    id=text(500, r"[A-Za-z0-9_\-]+"),
    max_redemptions=whole(1),
    metadata=metadata,
    name=text(40),
    percent_off=percent,
    redeem_by=whole(),
)
PROMOTION_CODE = members(
    "promotion",
    active=flag,
    code=text(500, "[A-Za-z0-9-]+"),
    customer=text(),
    expires_at=whole(),
    max_redemptions=whole(1),
    metadata=metadata,
    promotion=members("type coupon", type=one_of("coupon"), coupon=text()),
    restrictions=members(
        "", first_time_transaction=flag, minimum_amount=whole(1), minimum_amount_currency=currency
    ),
)
PROMOTION_CODE_CHANGE = members("", active=flag, metadata=metadata)
PROMOTION_CODES = members("", **PAGING, active=flag, code=text(), coupon=text())


def coupon_from(params: Mapping[str, Any]) -> Thing:
    """A coupon. Raises StripeError 400 unless it takes off either a share or an amount in a currency."""
    kind = exactly_one(dict(params), "", "percent_off", "amount_off")
    if kind == "amount_off" and "currency" not in params:
        raise invalid("You must pass currency when passing amount_off.", "currency", "parameter_missing")
    return {
        "id": params.get("id") or secrets.token_hex(4).upper(),
        "object": "coupon",
        "amount_off": params.get("amount_off"),
        "_applies_to": params.get("applies_to"),
        "created": now(),
        "currency": params["currency"].lower() if kind == "amount_off" else None,
        "duration": params.get("duration", "once"),
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": params.get("metadata", {}),
        "name": params.get("name"),
        "percent_off": params.get("percent_off"),
        "redeem_by": params.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }


def add_coupon(coupons: Shelf, params: Mapping[str, Any]) -> Thing:
    """A new coupon. Raises StripeError 400 for an id that is taken."""
    coupon = coupon_from(params)
    if coupons.get(coupon["id"]):
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    return coupons.put(coupon)


def promotion_code_from(params: Mapping[str, Any], coupon: Thing) -> Thing:
    """A code for a coupon."""
    restrictions = params.get("restrictions", {})
    smallest, unit = restrictions.get("minimum_amount"), restrictions.get("minimum_amount_currency")
    if (smallest is None) != (unit is None):
        raise invalid("Pass minimum_amount and minimum_amount_currency together.", "restrictions")
    return {
        "id": new_id("promo"),
        "object": "promotion_code",
        "active": params.get("active", True),
        "code": params.get("code") or secrets.token_hex(4).upper(),
        "created": now(),
        "customer": params.get("customer"),
        "customer_account": None,
        "expires_at": params.get("expires_at"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": params.get("metadata", {}),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {
            "first_time_transaction": restrictions.get("first_time_transaction", False),
            "minimum_amount": smallest,
            "minimum_amount_currency": unit and unit.lower(),
        },
        "times_redeemed": 0,
    }


def add_promotion_code(codes: Shelf, coupons: Shelf, params: Mapping[str, Any]) -> Thing:
    """A new code. Raises StripeError 400 if an active one reads the same, whatever the case of its letters."""
    code = promotion_code_from(params, coupons.need(params["promotion"]["coupon"], "promotion[coupon]"))
    if code["active"] and active_code(codes, code["code"]):
        raise invalid(f"An active promotion code with `code: {code['code']}` already exists.", "code")
    return codes.put(code)


def age(coupons: Shelf, codes: Shelf) -> None:
    """Let coupons be invalid and codes inactive whose time is over or that were used as often as they may be."""
    for coupon in coupons.newest_first():
        if coupon["valid"] and _is_over(coupon, coupon["redeem_by"]):
            coupons.change(coupon, valid=False)
    for code in codes.newest_first():
        alive = coupons.need(code["promotion"]["coupon"])["valid"]
        if code["active"] and (not alive or _is_over(code, code["expires_at"])):
            codes.change(code, active=False)


def _is_over(thing: Thing, end: int | None) -> bool:
    used_up = thing["max_redemptions"] is not None and thing["times_redeemed"] >= thing["max_redemptions"]
    return used_up or (end is not None and end <= now())


def active_code(codes: Shelf, text_: str) -> Thing | None:
    """The active code that reads so."""
    found = (code for code in codes.newest_first() if code["code"].lower() == text_.strip().lower())
    return next((code for code in found if code["active"]), None)


def check_code(code: Thing, subtotal: int, unit: str, *, first: bool) -> None:
    """Raises StripeError 400 unless a buyer can use the code now; `first`: the buyer never paid before."""
    if not code["active"]:
        raise _unusable("This promotion code is not active.", "promotion_code_expired")
    if code["customer"]:
        raise _unusable("This promotion code belongs to a customer.", "promotion_code_customer_mismatch")
    rules = code["restrictions"]
    if rules["first_time_transaction"] and not first:
        raise _unusable(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            "promotion_code_customer_not_first_time",
        )
    smallest = rules["minimum_amount"]
    if smallest is not None and (rules["minimum_amount_currency"] != unit or subtotal < smallest):
        raise _unusable(
            "This promotion code cannot be redeemed below its minimum amount.",
            "promotion_code_minimum_amount_not_met",
        )


def check_coupon(coupon: Thing, unit: str, products: list[str]) -> None:
    """Raises StripeError 400 unless the coupon can be used now, in this currency, for these products."""
    if not coupon["valid"]:
        raise _unusable(f"Coupon {coupon['id']} is expired and cannot be applied.", "coupon_expired")
    if coupon["amount_off"] is not None and coupon["currency"] != unit:
        raise _unusable(
            f"The coupon `{coupon['id']}` cannot be redeemed because its currency is `{coupon['currency']}`.",
            "",
        )
    only = (coupon["_applies_to"] or {}).get("products")
    if only and not set(only).issuperset(products):
        raise _unusable(f"The coupon `{coupon['id']}` does not apply to anything in this session.", "")


def amount_off(coupon: Thing, subtotal: int) -> int:
    """Minor units taken off a subtotal."""
    if coupon["percent_off"] is not None:
        return share(subtotal, coupon["percent_off"])
    return min(subtotal, int(coupon["amount_off"]))


def _unusable(message: str, code: str) -> StripeError:
    return invalid(message, "discounts[0]", code)
