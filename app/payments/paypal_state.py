"""What PayPal's orders, disputes and events say, in the platform's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from app.payments.gateway import (
    CheckoutState,
    CheckoutStatus,
    Delivery,
    DisputeStatus,
    RefundState,
    RefundStatus,
)
from app.payments.paypal_amounts import minor_of

Resource = Mapping[str, Any]

_ORDER = {"APPROVED": CheckoutStatus.APPROVED, "VOIDED": CheckoutStatus.EXPIRED}
# A capture that was given back later was paid all the same; its refunds tell the rest.
_CAPTURE = {
    "COMPLETED": CheckoutStatus.PAID,
    "PARTIALLY_REFUNDED": CheckoutStatus.PAID,
    "REFUNDED": CheckoutStatus.PAID,
    "PENDING": CheckoutStatus.PENDING,
    "DECLINED": CheckoutStatus.DECLINED,
    "FAILED": CheckoutStatus.DECLINED,
}
_REFUND = {"COMPLETED": RefundStatus.COMPLETED, "PENDING": RefundStatus.PENDING}
# How a case ends against the seller; every other end leaves the money where it is, or PayPal pays.
_LOST = frozenset({"RESOLVED_BUYER_FAVOUR", "ACCEPTED"})


def state_of(order: Resource) -> CheckoutState:
    """A whole order (`Prefer: return=representation`) as a checkout. Raises UnreadableAmount."""
    unit = first(order.get("purchase_units"))
    amount = member(unit, "amount")
    breakdown = member(amount, "breakdown")
    total = minor_of(amount)
    capture = capture_of(order)
    discount = minor_of(breakdown["discount"]) if "discount" in breakdown else 0
    tax = minor_of(breakdown["tax_total"]) if "tax_total" in breakdown else 0
    return CheckoutState(
        session_id=str(order["id"]),
        order_id=uuid_of(unit.get("custom_id")),
        status=_status(order, capture),
        payment_id=str(capture["id"]) if capture else None,
        currency=str(amount["currency_code"]),
        subtotal=minor_of(breakdown["item_total"]) if "item_total" in breakdown else total - tax + discount,
        discount=discount,
        tax=tax,
        total=total,
        refunds=tuple(refund_of(refund, unit.get("custom_id")) for refund in refunds_of(order)),
    )


def gone(session_id: str) -> CheckoutState:
    """An order that PayPal no longer knows: it forgets those that nobody approved. Its amounts are not known."""
    return CheckoutState(
        session_id=session_id, order_id=None, status=CheckoutStatus.EXPIRED, currency="", subtotal=0, total=0
    )


def _status(order: Resource, capture: Resource) -> CheckoutStatus:
    if capture:
        return _CAPTURE.get(str(capture.get("status")), CheckoutStatus.PENDING)
    return _ORDER.get(str(order.get("status")), CheckoutStatus.OPEN)


def capture_of(order: Resource) -> Resource:
    """The order's capture, the one that brought money if there are several; empty if there is none."""
    captures = member(first(order.get("purchase_units")), "payments").get("captures")
    found = [capture for capture in captures or () if isinstance(capture, dict)]
    paid = [c for c in found if _CAPTURE.get(str(c.get("status"))) == CheckoutStatus.PAID]
    return next(iter(paid or reversed(found)), {})


def refunds_of(order: Resource) -> list[Resource]:
    """The refunds of all captures of an order."""
    refunds = member(first(order.get("purchase_units")), "payments").get("refunds")
    return [refund for refund in refunds or () if isinstance(refund, dict)]


def refund_of(refund: Resource, order_custom_id: object = None) -> RefundState:
    """A refund. One made in the dashboard may carry its order's `custom_id`: that is not ours for a refund."""
    own = refund.get("custom_id")
    return RefundState(
        provider_refund_id=str(refund["id"]),
        refund_id=uuid_of(own) if own != order_custom_id else None,
        amount=minor_of(member(refund, "amount")),
        status=_REFUND.get(str(refund.get("status")), RefundStatus.FAILED),
    )


def dispute_of(dispute: Resource) -> DisputeStatus:
    """How a dispute stands."""
    if dispute.get("status") != "RESOLVED":
        return DisputeStatus.OPEN
    outcome = member(dispute, "dispute_outcome").get("outcome_code")
    return DisputeStatus.LOST if outcome in _LOST else DisputeStatus.WON


def is_about(dispute: Resource, capture_ids: Iterable[str]) -> bool:
    """True if a dispute is about one of these captures."""
    disputed = first(dispute.get("disputed_transactions")).get("seller_transaction_id")
    return disputed in set(capture_ids)


def delivery_of(event: Resource) -> Delivery:
    """What an event is about, as far as it says; a member of another form than expected counts as absent."""
    kind, resource = str(event["event_type"]), member(event, "resource")
    about: dict[str, Any] = {}
    if kind.startswith("CHECKOUT.ORDER."):
        about["session_id"] = text_of(resource.get("id"))
        about["order_id"] = uuid_of(first(resource.get("purchase_units")).get("custom_id"))
    elif kind.startswith("CUSTOMER.DISPUTE."):
        disputed = first(resource.get("disputed_transactions"))
        about["dispute_id"] = text_of(resource.get("dispute_id"))
        about["payment_id"] = text_of(disputed.get("seller_transaction_id"))
        about["order_id"] = uuid_of(disputed.get("custom"))
    elif kind.startswith("PAYMENT.CAPTURE.") and event.get("resource_type") == "refund":
        about["payment_id"] = _linked(resource, "/payments/captures/")
    elif kind.startswith("PAYMENT.CAPTURE."):
        related = member(member(resource, "supplementary_data"), "related_ids")
        about["payment_id"] = text_of(resource.get("id"))
        about["session_id"] = text_of(related.get("order_id")) or _linked(resource, "/checkout/orders/")
        about["order_id"] = uuid_of(resource.get("custom_id"))
    return Delivery(event_id=str(event["id"]), type=kind, **about)


def _linked(resource: Resource, path: str) -> str | None:
    """The id at the end of the link `up` that leads below `path`."""
    links = resource.get("links")
    for link in links if isinstance(links, list) else ():
        href = text_of(link.get("href")) if isinstance(link, dict) and link.get("rel") == "up" else None
        if href and path in href:
            return href.rpartition("/")[2]
    return None


def member(resource: Resource, name: str) -> Resource:
    """An object inside a resource, empty where there is none."""
    value = resource.get(name)
    return value if isinstance(value, dict) else {}


def first(items: object) -> Resource:
    """The first object of a list, empty where there is none."""
    return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}


def text_of(value: object) -> str | None:
    """A string that isn't empty."""
    return value if isinstance(value, str) and value else None


def uuid_of(value: object) -> UUID | None:
    """One of our ids; None for anything else."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
