"""PayPal's resources as its interface shows them."""

from __future__ import annotations

from typing import Any

from sandbox.paypal.amounts import Amount
from sandbox.paypal.models import Capture, Dispute, Order, Product, Refund

BUYER = {"email_address": "buyer@example.test", "account_id": "QYR5Z8XDVJNXQ", "account_status": "VERIFIED"}
BUYER_NAME = {"given_name": "Bo", "surname": "Buyer"}
PAYEE = {"email_address": "merchant@example.test", "merchant_id": "LY3Q5Z8XDVJN2"}
_FEE_PERCENT = 3


def link(order: Order, path: str, rel: str, method: str = "GET") -> dict[str, str]:
    """A link below the interface, as the platform reaches it."""
    return {"href": f"{order.base}/paypal{path}", "rel": rel, "method": method}


def order_links(order: Order) -> list[dict[str, str]]:
    """Where an order can be seen, approved and captured."""
    path = f"/v2/checkout/orders/{order.id}"
    links = [link(order, path, "self")]
    if order.status in ("CREATED", "APPROVED"):
        links.append(link(order, f"/approve/{order.id}", "payer-action" if order.wallet else "approve"))
        links.append(link(order, path + "/capture", "capture", "POST"))
    return links


def order_status(order: Order) -> str:
    """The status by the name that depends on how the order was created."""
    return "PAYER_ACTION_REQUIRED" if order.wallet and order.status == "CREATED" else order.status


def order_brief(order: Order) -> dict[str, Any]:
    """An order as it is answered without `Prefer: return=representation`."""
    brief: dict[str, Any] = {"id": order.id, "status": order_status(order), "links": order_links(order)}
    return brief | _source(order)


def order_shown(order: Order, captures: list[Capture], refunds: list[Refund]) -> dict[str, Any]:
    """A whole order with its payments."""
    unit: dict[str, Any] = {"reference_id": "default", **order.unit, "payee": PAYEE}
    if captures:
        unit["payments"] = {"captures": [capture_shown(order, capture, refunds) for capture in captures]}
        if refunds:
            unit["payments"]["refunds"] = [refund_shown(order, refund) for refund in refunds]
    shown: dict[str, Any] = {
        "intent": "CAPTURE",
        "purchase_units": [unit],
        "create_time": order.created,
        "update_time": order.updated,
    }
    if order.status in ("APPROVED", "COMPLETED"):
        shown["payer"] = {
            "name": BUYER_NAME,
            "email_address": BUYER["email_address"],
            "payer_id": BUYER["account_id"],
        }
    return order_brief(order) | shown


def _source(order: Order) -> dict[str, Any]:
    if order.status in ("APPROVED", "COMPLETED"):
        return {"payment_source": {"paypal": {**BUYER, "name": BUYER_NAME}}}
    return {"payment_source": {"paypal": {}}} if order.wallet else {}


def capture_status(capture: Capture, refunds: list[Refund]) -> str:
    """A capture's status, which its refunds change."""
    back = sum(refund.amount.units for refund in refunds if refund.status == "COMPLETED")
    if capture.status != "COMPLETED" or back == 0:
        return capture.status
    return "REFUNDED" if back >= capture.amount.units else "PARTIALLY_REFUNDED"


def capture_shown(order: Order, capture: Capture, refunds: list[Refund]) -> dict[str, Any]:
    """A capture inside an order."""
    shown: dict[str, Any] = {
        "id": capture.id,
        "status": capture_status(capture, refunds),
        "amount": capture.amount.shown(),
        "final_capture": True,
        "seller_protection": {
            "status": "ELIGIBLE",
            "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
        },
        "links": _capture_links(order, capture.id),
        "create_time": capture.created,
        "update_time": capture.updated,
    }
    if capture.status == "PENDING":
        shown["status_details"] = {"reason": "ECHECK"}
    if capture.status == "COMPLETED":
        shown["seller_receivable_breakdown"] = _receivable(capture.amount)
    return shown | _references(capture.custom_id, capture.invoice_id)


def capture_alone(order: Order, capture: Capture, refunds: list[Refund]) -> dict[str, Any]:
    """A capture by itself, which tells its order's id."""
    related = {"supplementary_data": {"related_ids": {"order_id": order.id}}, "payee": PAYEE}
    return capture_shown(order, capture, refunds) | related


def refund_brief(order: Order, refund: Refund) -> dict[str, Any]:
    """A refund as it is answered without `Prefer: return=representation`."""
    links = [
        link(order, f"/v2/payments/refunds/{refund.id}", "self"),
        link(order, f"/v2/payments/captures/{refund.capture}", "up"),
    ]
    return {"id": refund.id, "status": refund.status, "links": links}


def refund_shown(order: Order, refund: Refund) -> dict[str, Any]:
    """A refund; one made without an own `custom_id` carries its capture's, as PayPal's do."""
    nothing = Amount(refund.amount.currency, 0).shown()
    shown = {
        "amount": refund.amount.shown(),
        "seller_payable_breakdown": {
            "gross_amount": refund.amount.shown(),
            "paypal_fee": nothing,
            "net_amount": refund.amount.shown(),
            "total_refunded_amount": refund.amount.shown(),
        },
        "create_time": refund.created,
        "update_time": refund.created,
    }
    if refund.note:
        shown["note_to_payer"] = refund.note
    return (
        refund_brief(order, refund)
        | shown
        | _references(refund.custom_id or order.custom_id, refund.invoice_id)
    )


def dispute_shown(order: Order, dispute: Dispute) -> dict[str, Any]:
    """A dispute."""
    shown: dict[str, Any] = {
        "dispute_id": dispute.id,
        "create_time": dispute.created,
        "update_time": dispute.updated,
        "disputed_transactions": [
            {
                "seller_transaction_id": dispute.capture,
                "create_time": dispute.created,
                "transaction_status": "COMPLETED",
                "gross_amount": dispute.amount.shown(),
                "custom": order.custom_id,
                "buyer": {"email": BUYER["email_address"], "payer_id": BUYER["account_id"]},
                "seller": {"email": PAYEE["email_address"], "merchant_id": PAYEE["merchant_id"]},
            }
        ],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": dispute.status,
        "dispute_amount": dispute.amount.shown(),
        "dispute_life_cycle_stage": "CHARGEBACK",
        "dispute_channel": "INTERNAL",
        "links": [link(order, f"/v1/customer/disputes/{dispute.id}", "self")],
    }
    if dispute.outcome:
        shown["dispute_outcome"] = {"outcome_code": dispute.outcome}
        if dispute.outcome == "RESOLVED_BUYER_FAVOUR":
            shown["dispute_outcome"]["amount_refunded"] = dispute.amount.shown()
    return shown


def product_shown(base: str, product: Product) -> dict[str, Any]:
    """An entry of the catalogue."""
    href = f"{base}/paypal/v1/catalogs/products/{product.id}"
    links = [{"href": href, "rel": "self", "method": "GET"}]
    return {**product.members, "id": product.id, "create_time": product.created, "links": links}


def _capture_links(order: Order, capture_id: str) -> list[dict[str, str]]:
    path = f"/v2/payments/captures/{capture_id}"
    return [
        link(order, path, "self"),
        link(order, path + "/refund", "refund", "POST"),
        link(order, f"/v2/checkout/orders/{order.id}", "up"),
    ]


def _receivable(gross: Amount) -> dict[str, Any]:
    fee = Amount(gross.currency, gross.units * _FEE_PERCENT // 100)
    return {
        "gross_amount": gross.shown(),
        "paypal_fee": fee.shown(),
        "net_amount": gross.less(fee.units).shown(),
    }


def _references(custom_id: str, invoice_id: str) -> dict[str, str]:
    given = {"custom_id": custom_id, "invoice_id": invoice_id}
    return {name: value for name, value in given.items() if value}
