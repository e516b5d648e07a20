"""Stripe's objects as the platform's own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from app.payments.gateway import (
    CheckoutState,
    CheckoutStatus,
    Discount,
    DisputeStatus,
    RefundState,
    RefundStatus,
)
from app.payments.stripe_calls import amount_of

Body = Mapping[str, Any]

_REFUNDS = {
    "succeeded": RefundStatus.COMPLETED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
# `prevented`: settled before it became a dispute, by giving the money back. An inquiry that is closed costs nothing.
_DISPUTES = {
    "won": DisputeStatus.WON,
    "warning_closed": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
    "prevented": DisputeStatus.LOST,
}


def checkout_of(session: Body, refunds: Iterable[Body] = (), dispute: Body | None = None) -> CheckoutState:
    """A session, expanded as `StripeGateway.find` asks for it, with its payment's refunds and dispute."""
    currency = str(session["currency"]).upper()
    details = session.get("total_details") or {}
    intent = session.get("payment_intent") or {}
    status = status_of(session)
    moves = status in (CheckoutStatus.PAID, CheckoutStatus.PENDING, CheckoutStatus.DECLINED)
    return CheckoutState(
        session_id=session["id"],
        order_id=uuid_of(session.get("metadata"), "order_id"),
        status=status,
        payment_id=intent.get("id") if moves else None,
        currency=currency,
        subtotal=amount_of(session.get("amount_subtotal") or 0, currency),
        discount=amount_of(details.get("amount_discount") or 0, currency),
        tax=amount_of(details.get("amount_tax") or 0, currency),
        total=amount_of(session.get("amount_total") or 0, currency),
        discount_code=_code(session.get("discounts") or ()),
        refunds=tuple(refund_of(one) for one in refunds),
        dispute=dispute_of(dispute) if dispute else None,
        dispute_id=dispute["id"] if dispute else None,
    )


def status_of(session: Body) -> CheckoutStatus:
    """How far a session has come. A completed one is unpaid while its bank transfer is under way, or if it failed."""
    if session.get("status") == "open":
        return CheckoutStatus.OPEN
    if session.get("status") == "expired":
        return CheckoutStatus.EXPIRED
    if session.get("payment_status") != "unpaid":
        return CheckoutStatus.PAID
    intent = session.get("payment_intent") or {}
    failed = intent.get("status") in ("requires_payment_method", "canceled")
    return CheckoutStatus.DECLINED if failed else CheckoutStatus.PENDING


def refund_of(refund: Body) -> RefundState:
    """A refund; whatever isn't done and didn't fail is pending."""
    currency = str(refund["currency"]).upper()
    return RefundState(
        provider_refund_id=refund["id"],
        refund_id=uuid_of(refund.get("metadata"), "refund_id"),
        amount=amount_of(refund["amount"], currency),
        status=_REFUNDS.get(refund.get("status") or "", RefundStatus.PENDING),
    )


def dispute_of(dispute: Body) -> DisputeStatus:
    """How a dispute stands; whatever isn't decided is open."""
    return _DISPUTES.get(dispute.get("status") or "", DisputeStatus.OPEN)


def discount_of(
    coupon: Body,
    *,
    code: str,
    reference: str,
    restrictions: Body | None = None,
    is_counted: bool = False,
) -> Discount:
    """What a coupon takes off; `restrictions`: those of the promotion code that leads to it."""
    limits = restrictions or {}
    currency = (coupon.get("currency") or "").upper() or None
    smallest_currency = (limits.get("minimum_amount_currency") or "").upper() or None
    off, smallest = coupon.get("amount_off"), limits.get("minimum_amount")
    return Discount(
        code=code,
        percent_off=coupon.get("percent_off"),
        amount_off=None if off is None else amount_of(off, currency or ""),
        currency=None if off is None else currency,
        minimum_amount=None if smallest is None else amount_of(smallest, smallest_currency or ""),
        minimum_currency=smallest_currency,
        provider_reference=reference,
        is_coupon=restrictions is None,
        is_counted=is_counted,
    )


def is_for_everybody(code: Body, coupon: Body) -> bool:
    """True if anybody may use the promotion code for anything: what is tied to a customer is for Stripe to judge."""
    tied = code.get("customer") or code.get("customer_account")
    first_only = (code.get("restrictions") or {}).get("first_time_transaction")
    return not tied and not first_only and is_for_everything(coupon)


def is_for_everything(coupon: Body) -> bool:
    """True unless the coupon is limited to some of Stripe's products."""
    return not (coupon.get("applies_to") or {}).get("products")


def uuid_of(metadata: Body | None, name: str) -> UUID | None:
    """An id of ours in Stripe's metadata, None if there is none."""
    try:
        return UUID(str((metadata or {}).get(name)))
    except ValueError:
        return None


def _code(discounts: Iterable[Body]) -> str | None:
    """What the discount is called: the promotion code as its buyer reads it, else the coupon's id."""
    for discount in discounts:
        promotion_code, coupon = discount.get("promotion_code"), discount.get("coupon")
        if promotion_code:
            return str(promotion_code["code"])
        if coupon:
            return str(coupon if isinstance(coupon, str) else coupon["id"])
    return None
