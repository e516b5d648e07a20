"""Products and prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stripe.contract import currency, flag, members, metadata, text, url, whole
from sandbox.stripe.errors import invalid
from sandbox.stripe.money import check_amount
from sandbox.stripe.service import Stripe
from sandbox.stripe.things import Thing, new_id, now

PRODUCT = members(
    "name",
    active=flag,
    description=text(),
    id=text(255, r"[A-Za-z0-9_\-]+"),
    metadata=metadata,
    name=text(250),
    url=url,
)
PRODUCT_CHANGE = members("", active=flag, description=text(), metadata=metadata, name=text(250), url=url)
PRICE = members(
    "currency product unit_amount",
    active=flag,
    currency=currency,
    metadata=metadata,
    nickname=text(),
    product=text(),
    unit_amount=whole(),
)
PRICE_CHANGE = members("", active=flag, metadata=metadata, nickname=text())
PRODUCT_DATA = members("name", description=text(), metadata=metadata, name=text(250))


def add_product(stripe: Stripe, params: Mapping[str, Any]) -> Thing:
    """A new product. Raises StripeError 400 for an id that is taken."""
    id_ = params.get("id") or new_id("prod")
    if stripe.products.get(id_):
        raise invalid(f"Product already exists: {id_}", "id", "resource_already_exists")
    made = now()
    return stripe.products.put(
        {
            "id": id_,
            "object": "product",
            "active": params.get("active", True),
            "created": made,
            "default_price": None,
            "description": params.get("description"),
            "images": [],
            "livemode": False,
            "marketing_features": [],
            "metadata": params.get("metadata", {}),
            "name": params["name"],
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "type": "service",
            "unit_label": None,
            "updated": made,
            "url": params.get("url"),
        }
    )


def change_product(stripe: Stripe, id_: str, params: Mapping[str, Any]) -> Thing:
    """The product with other values."""
    return stripe.products.change(stripe.products.need(id_), **params, updated=now())


def add_price(stripe: Stripe, params: Mapping[str, Any], *, active: bool = True) -> Thing:
    """A new price of a product."""
    product = stripe.products.need(params["product"], "product")
    unit = params["currency"].lower()
    check_amount(params["unit_amount"], unit, "unit_amount")
    return stripe.prices.put(
        {
            "id": new_id("price"),
            "object": "price",
            "active": params.get("active", active),
            "billing_scheme": "per_unit",
            "created": now(),
            "currency": unit,
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": None,
            "metadata": params.get("metadata", {}),
            "nickname": params.get("nickname"),
            "product": product["id"],
            "recurring": None,
            "tax_behavior": "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": params["unit_amount"],
            "unit_amount_decimal": str(params["unit_amount"]),
        }
    )


def change_price(stripe: Stripe, id_: str, params: Mapping[str, Any]) -> Thing:
    """The price with other values; what it costs never changes."""
    return stripe.prices.change(stripe.prices.need(id_), **params)
