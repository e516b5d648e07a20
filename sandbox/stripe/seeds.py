"""The discounts that are there from the start."""

from __future__ import annotations

from sandbox.stripe.discounts import coupon_from, promotion_code_from
from sandbox.stripe.things import Shelf

# Promotion code (none: only a coupon): the coupon's parameters.
SEEDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("", {"id": "GRANDFATHERED", "name": "Grandfathered price", "percent_off": 20.0, "duration": "forever"}),
    ("WELCOME10", {"id": "WELCOME", "name": "Welcome", "percent_off": 10.0}),
    ("HUNDRED", {"id": "FREE", "name": "Free of charge", "percent_off": 100.0}),
    ("FIVEOFF", {"id": "FIVE", "name": "Five euros off", "amount_off": 500, "currency": "eur"}),
)


def plant(coupons: Shelf, promotion_codes: Shelf) -> None:
    """Put the coupons and codes in place."""
    for code, params in SEEDS:
        coupon = coupons.put(coupon_from(params))
        if code:
            promotion_codes.put(promotion_code_from({"code": code}, coupon))
