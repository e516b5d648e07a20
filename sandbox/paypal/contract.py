"""What a request's body may hold: the members that the platform uses, and PayPal's limits for each.

Everything else is refused, whether PayPal knows it or not: an adapter must not lean on what isn't stood in for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from sandbox.paypal.errors import invalid

Body = dict[str, Any]


@dataclass(frozen=True)
class Text:
    """A string; `pattern` must match all of it."""

    longest: int
    shortest: int = 1
    pattern: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Address:
    """An http or https address."""


@dataclass(frozen=True)
class Listing:
    """An array of 1 to `most` items."""

    item: Kind
    most: int


@dataclass(frozen=True)
class Shape:
    """An object."""

    members: dict[str, Kind]
    required: tuple[str, ...] = ()


Kind = Text | Address | Listing | Shape

MONEY = Shape(
    {
        "currency_code": Text(3, 3, "[A-Z]{3}"),
        "value": Text(32, pattern=r"-?[0-9]+|-?[0-9]*[.][0-9]+"),
    },
    ("currency_code", "value"),
)
AMOUNT = Shape(
    {**MONEY.members, "breakdown": Shape({"item_total": MONEY, "discount": MONEY})},
    MONEY.required,
)
ITEM = Shape(
    {
        "name": Text(127),
        "unit_amount": MONEY,
        "quantity": Text(10, pattern="[1-9][0-9]{0,9}"),
        "description": Text(2048),
        "sku": Text(127),
        "category": Text(20, choices=("DIGITAL_GOODS", "PHYSICAL_GOODS")),
    },
    ("name", "unit_amount", "quantity"),
)
UNIT = Shape(
    {
        "reference_id": Text(256),
        "description": Text(127),
        "custom_id": Text(127),
        "invoice_id": Text(127),
        "soft_descriptor": Text(22),
        "amount": AMOUNT,
        "items": Listing(ITEM, 50),
    },
    ("amount",),
)
CONTEXT: dict[str, Kind] = {
    "brand_name": Text(127),
    "locale": Text(10, 2, r"[a-z]{2}(-[A-Za-z0-9]{2,4})*"),
    "shipping_preference": Text(24, choices=("GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS")),
    "user_action": Text(8, choices=("CONTINUE", "PAY_NOW")),
    "return_url": Address(),
    "cancel_url": Address(),
}
WALLET_CONTEXT = Shape(
    {
        **CONTEXT,
        "landing_page": Text(13, choices=("LOGIN", "GUEST_CHECKOUT", "NO_PREFERENCE")),
        "payment_method_preference": Text(255, choices=("UNRESTRICTED", "IMMEDIATE_PAYMENT_REQUIRED")),
    }
)
ORDER = Shape(
    {
        "intent": Text(9, choices=("CAPTURE",)),
        "purchase_units": Listing(UNIT, 1),
        "payment_source": Shape(
            {
                "paypal": Shape(
                    {"experience_context": WALLET_CONTEXT, "email_address": Text(254, 3, ".+@[^@]+")}
                )
            },
            ("paypal",),
        ),
        "application_context": Shape(
            {**CONTEXT, "landing_page": Text(13, choices=("LOGIN", "BILLING", "NO_PREFERENCE"))}
        ),
    },
    ("intent", "purchase_units"),
)
CAPTURE = Shape({})
REFUND = Shape({"amount": MONEY, "custom_id": Text(127), "invoice_id": Text(127), "note_to_payer": Text(255)})
PRODUCT = Shape(
    {
        "id": Text(50, 6),
        "name": Text(127),
        "description": Text(256),
        "type": Text(24, choices=("PHYSICAL", "DIGITAL", "SERVICE")),
        "category": Text(256, 4, "[A-Z_]+"),
    },
    ("name", "type"),
)


def read(raw: bytes, kind: Shape) -> Body:
    """The body of a request. Raises PayPalError 400 saying which member is wrong, and how."""
    try:
        body: Any = msgspec.json.decode(raw or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise invalid("MALFORMED_REQUEST_JSON", "/") from None
    _check(body, kind, "")
    checked: Body = body
    return checked


def _check(value: Any, kind: Kind, field: str) -> None:
    if isinstance(kind, Shape):
        _check_members(value, kind, field)
    elif isinstance(kind, Listing):
        _check_items(value, kind, field)
    elif isinstance(kind, Text):
        _check_text(value, kind, field)
    else:
        parts = urlsplit(value) if isinstance(value, str) else None
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise invalid("INVALID_PARAMETER_SYNTAX", field)


def _check_members(value: Any, kind: Shape, field: str) -> None:
    if not isinstance(value, dict):
        raise invalid("INVALID_PARAMETER_SYNTAX", field or "/")
    for name in sorted(value.keys() - kind.members.keys()):
        raise invalid("NOT_SUPPORTED", f"{field}/{name}")
    for name in kind.required:
        if name not in value:
            raise invalid("MISSING_REQUIRED_PARAMETER", f"{field}/{name}")
    for name, item in value.items():
        _check(item, kind.members[name], f"{field}/{name}")


def _check_items(value: Any, kind: Listing, field: str) -> None:
    if not isinstance(value, list):
        raise invalid("INVALID_PARAMETER_SYNTAX", field)
    if not value:
        raise invalid("INVALID_ARRAY_MIN_ITEMS", field)
    if len(value) > kind.most:
        raise invalid("INVALID_ARRAY_MAX_ITEMS", field)
    for place, item in enumerate(value):
        _check(item, kind.item, f"{field}/{place}")


def _check_text(value: Any, kind: Text, field: str) -> None:
    if not isinstance(value, str):
        raise invalid("INVALID_PARAMETER_SYNTAX", field)
    if not kind.shortest <= len(value) <= kind.longest:
        raise invalid("INVALID_STRING_LENGTH", field, value)
    if kind.pattern and not re.fullmatch(kind.pattern, value):
        raise invalid("INVALID_PARAMETER_SYNTAX", field, value)
    if kind.choices and value not in kind.choices:
        raise invalid("INVALID_PARAMETER_VALUE", field, value)
