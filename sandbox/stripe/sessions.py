"""Checkout sessions: opening, expiring, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stripe import discounts
from sandbox.stripe.catalogue import PRODUCT_DATA, add_price, add_product
from sandbox.stripe.contract import (
    PAGING,
    Many,
    currency,
    email,
    exactly_one,
    flag,
    members,
    metadata,
    one_of,
    text,
    url,
    whole,
)
from sandbox.stripe.errors import invalid
from sandbox.stripe.money import SMALLEST, shown
from sandbox.stripe.service import Stripe
from sandbox.stripe.things import Thing, list_of, new_id, now

SHORTEST_SECONDS = 30 * 60
LONGEST_SECONDS = 24 * 3600

PRICE_DATA = members(
    "currency unit_amount", currency=currency, product=text(), product_data=PRODUCT_DATA, unit_amount=whole()
)
SESSION = members(
    "mode success_url line_items",
    allow_promotion_codes=flag,
    cancel_url=url,
    client_reference_id=text(200),
    customer_email=email,
    discounts=Many(members("", coupon=text(), promotion_code=text()), 1),
    expires_at=whole(),
    line_items=Many(members("quantity", price=text(), price_data=PRICE_DATA, quantity=whole(1, 999_999))),
    locale=one_of("auto", "en"),
    metadata=metadata,
    mode=one_of("payment"),
    payment_intent_data=members("", description=text(1000), metadata=metadata, receipt_email=email),
    submit_type=one_of("auto", "pay", "book"),
    success_url=url,
)
SESSIONS = members(
    "",
    **PAGING,
    created=members("", gt=whole(), gte=whole(), lt=whole(), lte=whole()),
    payment_intent=text(),
    status=one_of("open", "complete", "expired"),
)
NOTHING = members()


def open_session(stripe: Stripe, params: Mapping[str, Any], base: str) -> Thing:
    """A new session, its page below `base`. Raises StripeError 400."""
    if "discounts" in params and "allow_promotion_codes" in params:
        raise invalid(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.", "discounts"
        )
    lines = [_line(stripe, item, f"line_items[{place}]") for place, item in enumerate(params["line_items"])]
    if len({line["currency"] for line in lines}) != 1:
        raise invalid("All line items must have one currency.", "line_items")
    id_ = new_id("cs_test")
    session = {
        **_BLANK,
        "id": id_,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": now(),
        "currency": lines[0]["currency"],
        "customer_details": _customer(params.get("customer_email")),
        "customer_email": params.get("customer_email"),
        "expires_at": _end(params.get("expires_at")),
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "submit_type": params.get("submit_type"),
        "success_url": params["success_url"],
        "url": f"{base}/stripe/pay/{id_}",
        "_intent_data": params.get("payment_intent_data", {}),
        "_line_items": list_of(lines, f"/v1/checkout/sessions/{id_}/line_items"),
    }
    return stripe.sessions.put(priced(stripe, session, _wanted(stripe, params)))


def _line(stripe: Stripe, item: Mapping[str, Any], where: str) -> Thing:
    if exactly_one(dict(item), where, "price", "price_data") == "price":
        price = stripe.prices.need(item["price"], f"{where}[price]")
        if not price["active"]:
            raise invalid(
                "The price specified is inactive. This field only accepts active prices.", f"{where}[price]"
            )
    else:
        data = dict(item["price_data"])
        if exactly_one(data, f"{where}[price_data]", "product", "product_data") == "product_data":
            data["product"] = add_product(stripe, {**data.pop("product_data"), "active": False})["id"]
        price = add_price(stripe, data, active=False)
    amount = price["unit_amount"] * item["quantity"]
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": stripe.products.need(price["product"])["name"],
        "metadata": {},
        "price": price,
        "quantity": item["quantity"],
    }


def _wanted(stripe: Stripe, params: Mapping[str, Any]) -> Thing | None:
    """The discount as the session's `discounts` shows it."""
    if not params.get("discounts"):
        return None
    (given,) = params["discounts"]
    kind = exactly_one(given, "discounts[0]", "coupon", "promotion_code")
    if kind == "coupon":
        coupon = stripe.coupons.need(given["coupon"], "discounts[0][coupon]")
        return {"coupon": coupon["id"], "promotion_code": None}
    code = stripe.promotion_codes.need(given["promotion_code"], "discounts[0][promotion_code]")
    return {"coupon": None, "promotion_code": code["id"]}


def _end(wanted: int | None) -> int:
    made = now()
    if wanted is None:
        return made + LONGEST_SECONDS
    if wanted < made + SHORTEST_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            "expires_at",
        )
    if wanted > made + LONGEST_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            "expires_at",
        )
    return wanted


def priced(stripe: Stripe, session: Thing, wanted: Thing | None) -> Thing:
    """The session with its amounts, less a discount {coupon, promotion_code}. Raises StripeError 400.

    A session is refused if the discount can't be used or what is left is too little to charge.
    """
    lines = session["_line_items"]["data"]
    subtotal = sum(line["amount_subtotal"] for line in lines)
    coupon = coupon_of(stripe, session, wanted, subtotal) if wanted else None
    off = discounts.amount_off(coupon, subtotal) if coupon else 0
    total = subtotal - off
    if 0 < total < SMALLEST:
        least = shown(SMALLEST, session["currency"])
        message = f"The Checkout Session's total amount due must add up to at least {least}"
        raise invalid(message, "line_items", "amount_too_small")
    breakdown: dict[str, list[Thing]] = {"discounts": [], "taxes": []}
    if coupon and wanted:
        breakdown["discounts"] = [{"amount": off, "discount": _discount(session, coupon, wanted)}]
    return {
        **session,
        "amount_subtotal": subtotal,
        "amount_total": total,
        "discounts": [wanted] if wanted else [],
        "total_details": {
            "amount_discount": off,
            "amount_shipping": 0,
            "amount_tax": 0,
            "_breakdown": breakdown,
        },
        "_line_items": {**session["_line_items"], "data": _spread(lines, off, subtotal)},
    }


def coupon_of(stripe: Stripe, session: Thing, wanted: Thing, subtotal: int) -> Thing:
    """The coupon behind a wanted discount. Raises StripeError 400 if it can't be used for the session."""
    unit, buyer = session["currency"], session["customer_email"]
    if wanted["promotion_code"]:
        code = stripe.promotion_codes.need(wanted["promotion_code"])
        discounts.check_code(code, subtotal, unit, first=not _paid_before(stripe, buyer))
        coupon = stripe.coupons.need(code["promotion"]["coupon"])
    else:
        coupon = stripe.coupons.need(wanted["coupon"])
    products = [line["price"]["product"] for line in session["_line_items"]["data"]]
    discounts.check_coupon(coupon, unit, products)
    return coupon


def _paid_before(stripe: Stripe, buyer: str | None) -> bool:
    return any(
        one["customer_email"] == buyer and one["payment_status"] == "paid"
        for one in stripe.sessions.newest_first()
        if buyer
    )


def _spread(lines: list[Thing], off: int, subtotal: int) -> list[Thing]:
    """The lines, each with its part of the discount; the last one takes what rounding leaves."""
    spread, left = [], off
    for place, line in enumerate(lines):
        amount = line["amount_subtotal"]
        part = left if place == len(lines) - 1 else off * amount // max(subtotal, 1)
        left -= part
        spread.append({**line, "amount_discount": part, "amount_total": amount - part})
    return spread


def _discount(session: Thing, coupon: Thing, wanted: Thing) -> Thing:
    return {
        "id": new_id("di"),
        "object": "discount",
        "checkout_session": session["id"],
        "customer": None,
        "end": None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": wanted["promotion_code"],
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": now(),
        "subscription": None,
        "subscription_item": None,
    }


def _customer(address: str | None) -> Thing | None:
    if address is None:
        return None
    blank = dict.fromkeys(("address", "business_name", "individual_name", "name", "phone", "tax_ids"))
    return {**blank, "email": address, "tax_exempt": "none"}


_BLANK: Thing = {
    "object": "checkout.session",
    "adaptive_pricing": {"enabled": False},
    "after_expiration": None,
    "amount_subtotal": None,
    "amount_total": None,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "billing_address_collection": None,
    "client_secret": None,
    "collected_information": None,
    "consent": None,
    "consent_collection": None,
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": dict.fromkeys(
        ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    ),
    "customer": None,
    "customer_account": None,
    "customer_creation": "if_required",
    "discounts": [],
    "invoice": None,
    "invoice_creation": None,
    "livemode": False,
    "mode": "payment",
    "origin_context": None,
    "payment_intent": None,
    "payment_link": None,
    "payment_method_collection": "if_required",
    "payment_method_configuration_details": None,
    "payment_method_options": {},
    "payment_method_types": ["card"],
    "payment_status": "unpaid",
    "permissions": None,
    "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "saved_payment_method_options": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "status": "open",
    "subscription": None,
    "ui_mode": "hosted_page",
    "wallet_options": None,
}
