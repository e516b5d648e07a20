"""What the platform needs of a payment provider, and what a provider tells: one shape for Stripe and PayPal.

The platform never believes a webhook's body or a return address: it asks the provider for the checkout as it is now
(`CheckoutState`) and brings its own rows in line with that. Amounts are integer minor units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

CHECKOUT_MINUTES = 31  # Stripe refuses less than 30


class Provider(StrEnum):
    """Who takes the money."""

    STRIPE = "stripe"
    PAYPAL = "paypal"


class CheckoutStatus(StrEnum):
    """How far a checkout has come at its provider.

    `open`: the buyer may still pay. `approved`: the buyer agreed, the money waits to be captured (PayPal only).
    `pending`: the provider has it in hand and will say later. `paid`: the money is there. `declined`: it won't come.
    `expired`: nobody can pay it any more.
    """

    OPEN = "open"
    APPROVED = "approved"
    PENDING = "pending"
    PAID = "paid"
    DECLINED = "declined"
    EXPIRED = "expired"


class RefundStatus(StrEnum):
    """What became of a refund at its provider."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"


class DisputeStatus(StrEnum):
    """How a buyer's dispute stands; a warning that isn't a dispute yet counts as open."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class ProviderUnavailable(Exception):
    """The provider could not be asked, or its answer was lost: whether it did something is unknown."""


class ProviderRefused(Exception):
    """The provider understood and said no; nothing was done. `code` is the provider's own."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """What a code takes off a price: a share in percent or an amount; `code` is what people read.

    `provider_reference` names the provider's own object that does it (Stripe: `promo_…` or a coupon's id).
    `minimum_amount` in `minimum_currency`: smaller prices, and those in other currencies, get nothing off.
    `is_counted`: it can be used so many times, and only its provider counts them.
    """

    code: str
    percent_off: float | None = None
    amount_off: int | None = None
    currency: str | None = None
    minimum_amount: int | None = None
    minimum_currency: str | None = None
    provider_reference: str
    is_coupon: bool = False
    is_counted: bool = False

    def off(self, amount: int, currency: str) -> int:
        """Minor units taken off `amount`: percent rounded half up as Stripe does, never more than the amount.

        An amount in another currency takes nothing off.
        """
        if self.minimum_amount is not None and (
            amount < self.minimum_amount or currency != self.minimum_currency
        ):
            return 0
        if self.percent_off is not None:
            hundredths = round(self.percent_off * 100)
            return min(amount, (amount * hundredths + 5_000) // 10_000)
        if self.amount_off is None or self.currency != currency:
            return 0
        return min(amount, self.amount_off)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """An order as a provider is asked to collect it.

    `amount` is the price before `discount`. `price_id` is the provider's own id of the price, if it has one.
    `allow_codes`: the buyer may enter a promotion code at the provider; never together with `discount`.
    """

    order_id: UUID
    user_id: UUID
    product_id: UUID
    mentor_id: UUID
    email: str
    title: str
    mentor_name: str
    amount: int
    currency: str
    price_id: str | None = None
    discount: Discount | None = None
    allow_codes: bool = False
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class OpenedCheckout:
    """A checkout at its provider: `session_id` (`cs_…`, or PayPal's order id) and the address to send the buyer to."""

    session_id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundState:
    """A refund as the provider knows it; `refund_id` is ours, None for one made in the provider's dashboard."""

    provider_refund_id: str
    refund_id: UUID | None
    amount: int
    status: RefundStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutState:
    """A checkout as its provider knows it now.

    `payment_id` (`pi_…`, PayPal's capture id) is there once money moves; a checkout of 0 has none, its `session_id`
    stands for it. `subtotal` is the price before `discount` and `tax`, `total` what is or was to be paid.
    `order_id` is ours as the provider keeps it, None if it isn't ours.
    """

    session_id: str
    order_id: UUID | None
    status: CheckoutStatus
    payment_id: str | None = None
    currency: str
    subtotal: int
    discount: int = 0
    tax: int = 0
    total: int
    discount_code: str | None = None
    refunds: tuple[RefundState, ...] = ()
    dispute: DisputeStatus | None = None
    dispute_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A webhook whose signature holds: what it is about, as far as its body says.

    `subject` is any of our order's id, the provider's session id or payment id; all None for what doesn't concern us.
    """

    event_id: str
    type: str
    order_id: UUID | None = None
    session_id: str | None = None
    payment_id: str | None = None
    dispute_id: str | None = None


class Gateway(Protocol):
    """A payment provider. Every call but `verify` may raise ProviderUnavailable and ProviderRefused.

    None is called inside a database transaction.
    """

    provider: Provider

    async def open(self, purchase: Purchase) -> OpenedCheckout:
        """Open a checkout; asked again for the same order within the provider's window it is the same checkout."""
        ...

    async def find(self, session_id: str, dispute_id: str | None = None) -> CheckoutState:
        """The checkout with its refunds and dispute. Raises ProviderRefused if there is none with this id.

        `dispute_id`: a dispute that a webhook told of, for providers that don't list a payment's disputes.
        """
        ...

    async def end(self, session_id: str) -> CheckoutState:
        """Make sure that nobody pays it any more, where the provider can; one that was paid stays paid."""
        ...

    async def capture(self, session_id: str, order_id: UUID) -> CheckoutState:
        """Take the money of an approved checkout. Safe to call again: what was captured is not captured twice."""
        ...

    async def refund(
        self, session_id: str, payment_id: str, *, amount: int, currency: str, refund_id: UUID
    ) -> RefundState:
        """Give back `amount` of a payment, once for a `refund_id`: it is looked up before it is made."""
        ...

    async def publish(
        self, product_id: UUID, *, title: str, amount: int, currency: str, replaces: str | None
    ) -> str:
        """Keep a product at the provider, in place of `replaces`; returns the provider's id."""
        ...

    async def close(self) -> None:
        """Give back its connections."""
        ...

    async def check(self) -> None:
        """Ask for something cheap; returns if the provider answers and accepts our key."""
        ...

    async def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Delivery:
        """Read a webhook. Raises ForgedWebhook.

        `body` is the raw body, `headers` by lower-case name, `now` machine time.
        """
        ...
