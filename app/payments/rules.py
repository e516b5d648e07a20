"""What is paid, what goes back, and what doesn't add up. Pure; amounts are integer minor units."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.money import SMALLEST
from app.payments.gateway import CheckoutState, Discount
from app.payments.models import OrderFlag, OrderStatus, PaymentStatus


@dataclass(frozen=True, slots=True)
class Quote:
    """A refund as it is offered: `amount` for the `sessions` that are left."""

    amount: int
    sessions: int


def quote(*, paid: int, refunded: int, total_sessions: int, remaining: int) -> Quote:
    """Prorated: paid x refundable // total, never more than what is left of the money (domain: "Refund").

    Sessions added by hand beyond the total bring no money back; a pack of none is given back whole.
    """
    sessions = max(0, min(remaining, total_sessions))
    share = paid * sessions // total_sessions if total_sessions else paid
    return Quote(min(share, paid - refunded), max(0, remaining))


def price(amount: int, currency: str, discount: Discount | None) -> tuple[int, int]:
    """What a discount takes off, and what is left to pay."""
    off = discount.off(amount, currency) if discount else 0
    return off, amount - off


def can_be_paid(total: int, currency: str) -> bool:
    """True for nothing, and for what isn't less than the providers charge."""
    return total == 0 or total >= SMALLEST.get(currency, 0)


def mismatch(currency: str, original_amount: int, state: CheckoutState) -> OrderFlag | None:
    """Why a paid checkout isn't what was ordered: another currency, or another price before discount and tax."""
    if state.currency != currency:
        return OrderFlag.WRONG_CURRENCY
    if state.subtotal != original_amount or state.total != state.subtotal - state.discount + state.tax:
        return OrderFlag.WRONG_AMOUNT
    return None


def payment_status(amount: int, refunded: int, *, voided: bool) -> PaymentStatus:
    """A payment with this much of it gone back; one of nothing is refunded once its pack is `voided`."""
    whole = refunded == amount if amount else voided
    return PaymentStatus.REFUNDED if whole else PaymentStatus.COMPLETED


def order_status(amount: int, refunded: int, *, voided: bool) -> OrderStatus:
    """A paid order with this much of its money gone back."""
    if payment_status(amount, refunded, voided=voided) is PaymentStatus.REFUNDED:
        return OrderStatus.REFUNDED
    return OrderStatus.PARTIALLY_REFUNDED if refunded else OrderStatus.PAID
