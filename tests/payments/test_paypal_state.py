"""What PayPal's orders and events mean, from PayPal's own wording."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.payments.gateway import CheckoutStatus, DisputeStatus, RefundStatus
from app.payments.paypal_state import delivery_of, dispute_of, refund_of, state_of

OURS = "0190f5a0-0000-7000-8000-000000000001"


def order(status: str = "COMPLETED", *captures: str, **unit: Any) -> dict[str, Any]:
    """An order for 10.00 EUR with captures in these states."""
    money = {"currency_code": "EUR", "value": "10.00"}
    taken = [{"id": f"C{place}", "status": state, "amount": money} for place, state in enumerate(captures)]
    payments = {"payments": {"captures": taken}} if taken else {}
    return {
        "id": "O",
        "status": status,
        "purchase_units": [{"custom_id": OURS, "amount": money, **payments, **unit}],
    }


@pytest.mark.parametrize(
    ("status", "captures", "meaning", "payment_id"),
    [
        ("CREATED", (), CheckoutStatus.OPEN, None),
        ("SAVED", (), CheckoutStatus.OPEN, None),
        ("PAYER_ACTION_REQUIRED", (), CheckoutStatus.OPEN, None),
        ("SOMETHING_NEW", (), CheckoutStatus.OPEN, None),
        ("APPROVED", (), CheckoutStatus.APPROVED, None),
        ("VOIDED", (), CheckoutStatus.EXPIRED, None),
        ("COMPLETED", ("COMPLETED",), CheckoutStatus.PAID, "C0"),
        ("COMPLETED", ("PARTIALLY_REFUNDED",), CheckoutStatus.PAID, "C0"),
        ("COMPLETED", ("REFUNDED",), CheckoutStatus.PAID, "C0"),
        ("COMPLETED", ("PENDING",), CheckoutStatus.PENDING, "C0"),
        ("COMPLETED", ("SOMETHING_NEW",), CheckoutStatus.PENDING, "C0"),
        ("COMPLETED", ("DECLINED",), CheckoutStatus.DECLINED, "C0"),
        ("COMPLETED", ("FAILED",), CheckoutStatus.DECLINED, "C0"),
        ("COMPLETED", ("DECLINED", "COMPLETED"), CheckoutStatus.PAID, "C1"),
        ("COMPLETED", ("COMPLETED", "DECLINED"), CheckoutStatus.PAID, "C0"),
        ("COMPLETED", ("DECLINED", "PENDING"), CheckoutStatus.PENDING, "C1"),
    ],
)
def test_how_far_an_order_has_come(
    status: str, captures: tuple[str, ...], meaning: CheckoutStatus, payment_id: str | None
) -> None:
    state = state_of(order(status, *captures))
    assert (state.status, state.payment_id) == (meaning, payment_id)
    assert (state.order_id, state.subtotal, state.total) == (UUID(OURS), 1_000, 1_000)


def test_a_breakdown_tells_price_discount_and_tax() -> None:
    def euros(value: str) -> dict[str, str]:
        return {"currency_code": "EUR", "value": value}

    breakdown = {"item_total": euros("10.00"), "discount": euros("2.50"), "tax_total": euros("1.50")}
    state = state_of(order("APPROVED", amount={**euros("9.00"), "breakdown": breakdown}))
    assert (state.subtotal, state.discount, state.tax, state.total) == (1_000, 250, 150, 900)


@pytest.mark.parametrize("custom_id", [None, "", "7", 7, "not-a-uuid"])
def test_an_order_that_is_not_ours_has_no_order_id(custom_id: object) -> None:
    assert state_of(order("CREATED", custom_id=custom_id)).order_id is None


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("COMPLETED", RefundStatus.COMPLETED),
        ("PENDING", RefundStatus.PENDING),
        ("FAILED", RefundStatus.FAILED),
        ("CANCELLED", RefundStatus.FAILED),
    ],
)
def test_what_became_of_a_refund(status: str, meaning: RefundStatus) -> None:
    amount = {"currency_code": "EUR", "value": "1.00"}
    refund = {"id": "R", "status": status, "amount": amount, "custom_id": OURS}
    assert refund_of(refund).status is meaning
    assert refund_of(refund).refund_id == UUID(OURS)
    assert refund_of(refund, OURS).refund_id is None, "that is the order's own id"


@pytest.mark.parametrize(
    ("status", "outcome", "meaning"),
    [
        ("OPEN", None, DisputeStatus.OPEN),
        ("WAITING_FOR_BUYER_RESPONSE", None, DisputeStatus.OPEN),
        ("WAITING_FOR_SELLER_RESPONSE", None, DisputeStatus.OPEN),
        ("UNDER_REVIEW", None, DisputeStatus.OPEN),
        ("RESOLVED", "RESOLVED_BUYER_FAVOUR", DisputeStatus.LOST),
        ("RESOLVED", "ACCEPTED", DisputeStatus.LOST),
        ("RESOLVED", "RESOLVED_SELLER_FAVOUR", DisputeStatus.WON),
        ("RESOLVED", "RESOLVED_WITH_PAYOUT", DisputeStatus.WON),
        ("RESOLVED", "CANCELED_BY_BUYER", DisputeStatus.WON),
    ],
)
def test_how_a_dispute_stands(status: str, outcome: str | None, meaning: DisputeStatus) -> None:
    told = {"dispute_outcome": {"outcome_code": outcome}} if outcome else {}
    assert dispute_of({"status": status, **told}) is meaning


@pytest.mark.parametrize(
    "resource", [None, [], "x", 7, {}, {"purchase_units": {}}, {"links": 7}, {"links": ["x"]}, {"id": 7}]
)
@pytest.mark.parametrize(
    "kind",
    [
        "CHECKOUT.ORDER.APPROVED",
        "PAYMENT.CAPTURE.COMPLETED",
        "CUSTOMER.DISPUTE.CREATED",
        "BILLING.PLAN.CREATED",
    ],
)
@pytest.mark.parametrize("resource_type", ["capture", "refund", None])
def test_an_event_of_another_form_is_about_nothing(
    kind: str, resource: object, resource_type: str | None
) -> None:
    event = {"id": "WH-1", "event_type": kind, "resource_type": resource_type, "resource": resource}
    delivery = delivery_of(event)
    assert (delivery.event_id, delivery.type) == ("WH-1", kind)
    about = (delivery.order_id, delivery.session_id, delivery.payment_id, delivery.dispute_id)
    assert about == (None, None, None, None)
