"""The life of an order: created, approved by its buyer, captured."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.paypal.amounts import Amount, amount_of
from sandbox.paypal.errors import invalid, unprocessable
from sandbox.paypal.models import Capture, Order, Outcome, new_id, now
from sandbox.paypal.service import PayPal
from sandbox.paypal.shown import BUYER, capture_alone, order_shown

OPEN_SECONDS = 3 * 3600
_CAPTURED = {
    "completed": ("COMPLETED", "PAYMENT.CAPTURE.COMPLETED", "completed"),
    "pending": ("PENDING", "PAYMENT.CAPTURE.PENDING", "pending"),
}


def create(paypal: PayPal, base: str, body: dict[str, Any]) -> Order:
    """A new order from a body whose form was checked. Raises PayPalError 400 or 422."""
    (unit,) = body["purchase_units"]
    wallet = "payment_source" in body
    context = body.get("application_context", {})
    if wallet:
        if context:
            raise invalid("NOT_SUPPORTED", "/application_context")
        context = body["payment_source"]["paypal"].get("experience_context", {})
    order = Order(
        id=new_id(),
        base=base,
        created=now(),
        updated=now(),
        expires=time.time() + OPEN_SECONDS,
        unit=unit,
        amount=checked_amount(unit, "/purchase_units/0"),
        wallet=wallet,
        brand_name=context.get("brand_name", ""),
        return_url=context.get("return_url", ""),
        cancel_url=context.get("cancel_url", ""),
    )
    return paypal.orders.put(order.id, order)


def checked_amount(unit: dict[str, Any], field: str) -> Amount:
    """The amount of a purchase unit. Raises PayPalError 422 where it, its breakdown and its items don't add up."""
    total = amount_of(unit["amount"], f"{field}/amount")
    breakdown = {
        name: _in_currency(money, total.currency, f"{field}/amount/breakdown/{name}")
        for name, money in unit["amount"].get("breakdown", {}).items()
    }
    if unit.get("items"):
        _check_items(unit["items"], breakdown.get("item_total"), total.currency, field)
    if breakdown:
        if "item_total" not in breakdown:
            raise unprocessable("ITEM_TOTAL_REQUIRED", f"{field}/amount/breakdown/item_total")
        if breakdown["item_total"] - breakdown.get("discount", 0) != total.units:
            raise unprocessable("AMOUNT_MISMATCH", f"{field}/amount/value", unit["amount"]["value"])
    return total


def _check_items(items: list[dict[str, Any]], told: int | None, currency: str, field: str) -> None:
    if told is None:
        raise unprocessable("ITEM_TOTAL_REQUIRED", f"{field}/amount/breakdown/item_total")
    total = 0
    for place, item in enumerate(items):
        unit = _in_currency(item["unit_amount"], currency, f"{field}/items/{place}/unit_amount")
        total += unit * int(item["quantity"])
    if total != told:
        raise unprocessable("ITEM_TOTAL_MISMATCH", f"{field}/amount/breakdown/item_total")


def _in_currency(money: dict[str, Any], currency: str, field: str) -> int:
    amount = amount_of(money, field, zero=True)
    if amount.currency != currency:
        raise unprocessable("MULTI_CURRENCY_ORDER", f"{field}/currency_code", amount.currency)
    return amount.units


def approve(paypal: PayPal, order: Order, outcome: Outcome) -> str:
    """Let the buyer agree; gives where the browser goes. Approving again with another way to pay tells nothing new."""
    again = order.status == "APPROVED"
    order = paypal.change_order(order, status="APPROVED", outcome=outcome)
    if not again:
        paypal.events.tell(
            "CHECKOUT.ORDER.APPROVED", order, whole(paypal, order), "An order has been approved"
        )
    return _sent_to(order.return_url, order, {"PayerID": BUYER["account_id"]})


def go_back(order: Order) -> str:
    """Where the browser goes when the buyer doesn't want to pay."""
    return _sent_to(order.cancel_url, order, {})


def capture(paypal: PayPal, order: Order) -> Order:
    """Take the money of an approved order. Raises PayPalError 422."""
    if paypal.captures_of(order.id):
        raise unprocessable("ORDER_ALREADY_CAPTURED")
    if order.status != "APPROVED":
        raise unprocessable("ORDER_NOT_APPROVED")
    if order.outcome == "declined":
        raise unprocessable("INSTRUMENT_DECLINED")
    status, kind, word = _CAPTURED[order.outcome]
    taken = Capture(
        id=new_id(),
        order=order.id,
        amount=order.amount,
        custom_id=order.custom_id,
        invoice_id=str(order.unit.get("invoice_id", "")),
        status="PENDING" if status == "PENDING" else "COMPLETED",
        created=now(),
        updated=now(),
    )
    paypal.captures.put(taken.id, taken)
    order = paypal.change_order(order, status="COMPLETED")
    tell_capture(paypal, order, taken, kind, word)
    return order


def settle(paypal: PayPal, order: Order, pending: Capture, *, succeed: bool) -> Capture:
    """Let a pending capture come to its end."""
    settled = paypal.change_capture(pending, status="COMPLETED" if succeed else "DECLINED")
    kind, word = ("COMPLETED", "completed") if succeed else ("DENIED", "denied")
    tell_capture(paypal, order, settled, f"PAYMENT.CAPTURE.{kind}", word)
    return settled


def tell_capture(paypal: PayPal, order: Order, taken: Capture, kind: str, word: str) -> None:
    """Tell what became of a capture."""
    money = taken.amount.shown()
    resource = capture_alone(order, taken, paypal.refunds_of(taken.id))
    paypal.events.tell(kind, order, resource, f"Payment {word} for {money['currency_code']} {money['value']}")


def whole(paypal: PayPal, order: Order) -> dict[str, Any]:
    """An order as it is shown now."""
    return order_shown(order, paypal.captures_of(order.id), paypal.refunds_of_order(order.id))


def _sent_to(url: str, order: Order, more: dict[str, str]) -> str:
    """Back to the platform; to the order's own page if it gave no address."""
    if not url:
        return f"{order.base}/paypal/approve/{order.id}"
    separator = "&" if urlsplit(url).query else "?"
    return url + separator + urlencode({"token": order.id, **more})
