"""What PayPal keeps. Instants are RFC 3339 strings of machine time, `expires` epoch seconds."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from sandbox.paypal.amounts import Amount

Outcome = Literal["completed", "declined", "pending"]
_LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class Order(msgspec.Struct, frozen=True):
    """An order with its one purchase unit as it was given.

    `base` is this sandbox's own address as the platform called it. `wallet`: created with a payment source, which
    changes names of states and links. `outcome` is what the buyer chose that capturing shall come to.
    """

    id: str
    base: str
    created: str
    updated: str
    expires: float
    unit: dict[str, Any]
    amount: Amount
    wallet: bool
    brand_name: str
    return_url: str
    cancel_url: str
    status: Literal["CREATED", "APPROVED", "COMPLETED", "VOIDED"] = "CREATED"
    outcome: Outcome = "completed"

    @property
    def custom_id(self) -> str:
        """The platform's own id of the order, empty if it gave none."""
        return str(self.unit.get("custom_id", ""))


class Capture(msgspec.Struct, frozen=True):
    """Money taken for an order; how much of it went back is told by its refunds."""

    id: str
    order: str
    amount: Amount
    custom_id: str
    invoice_id: str
    status: Literal["COMPLETED", "PENDING", "DECLINED"]
    created: str
    updated: str


class Refund(msgspec.Struct, frozen=True):
    """Money given back; `by` says whose doing it was."""

    id: str
    capture: str
    order: str
    amount: Amount
    custom_id: str
    invoice_id: str
    note: str
    by: Literal["api", "dashboard", "reversal"]
    created: str
    status: Literal["COMPLETED", "PENDING", "FAILED"] = "COMPLETED"


class Dispute(msgspec.Struct, frozen=True):
    """A buyer's case about a capture; `outcome` is empty while it is open."""

    id: str
    capture: str
    order: str
    amount: Amount
    created: str
    updated: str
    status: Literal["WAITING_FOR_SELLER_RESPONSE", "UNDER_REVIEW", "RESOLVED"] = "WAITING_FOR_SELLER_RESPONSE"
    outcome: str = ""


class Product(msgspec.Struct, frozen=True):
    """An entry of the catalogue, with the members it was given."""

    id: str
    created: str
    members: dict[str, Any]


class Event(msgspec.Struct, frozen=True):
    """Something that was told by webhook; `body` is the exact text."""

    id: str
    base: str
    type: str
    created: str
    body: str


class Used(msgspec.Struct, frozen=True):
    """A used PayPal-Request-Id: digest of the body it came with, what it made, until when it holds (epoch seconds)."""

    digest: str
    made: str
    until: float


def new_id(length: int = 17) -> str:
    """An id as PayPal gives them."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def now() -> str:
    """This instant by the machine's clock, as PayPal writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
