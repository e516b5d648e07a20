"""Money that goes back: refunds, reversals, disputes."""

from __future__ import annotations

import secrets
from typing import Any, Literal

import msgspec

from sandbox.paypal.amounts import Amount, amount_of
from sandbox.paypal.errors import unprocessable
from sandbox.paypal.models import Capture, Dispute, Order, Refund, new_id, now
from sandbox.paypal.service import PayPal
from sandbox.paypal.shown import dispute_shown, refund_shown

By = Literal["api", "dashboard", "reversal"]


def wanted(paypal: PayPal, capture: Capture, refunds: list[Refund], body: dict[str, Any]) -> Amount:
    """The amount that a refund request asks for, all that is left if it names none. Raises PayPalError 422."""
    left = capture.amount.less(sum(r.amount.units for r in refunds if r.status != "FAILED"))
    if capture.status != "COMPLETED":
        raise unprocessable("PENDING_CAPTURE" if capture.status == "PENDING" else "REFUND_NOT_ALLOWED")
    if left.units == 0:
        raise unprocessable("CAPTURE_FULLY_REFUNDED")
    invoice = body.get("invoice_id")
    if invoice and any(refund.invoice_id == invoice for refund in paypal.refunds.values()):
        raise unprocessable("DUPLICATE_INVOICE_ID", "/invoice_id", invoice)
    if "amount" not in body:
        return left
    amount = amount_of(body["amount"], "/amount")
    if amount.currency != left.currency:
        raise unprocessable("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code", amount.currency)
    if amount.units > left.units:
        raise unprocessable("REFUND_AMOUNT_EXCEEDED", "/amount/value", body["amount"]["value"])
    return amount


def give_back(paypal: PayPal, order: Order, capture: Capture, body: dict[str, Any], by: By) -> Refund:
    """Refund (part of) a capture; `body` is a checked refund request. Raises PayPalError 422."""
    amount = wanted(paypal, capture, paypal.refunds_of(capture.id), body)
    refund = Refund(
        id=new_id(),
        capture=capture.id,
        order=order.id,
        amount=amount,
        custom_id=body.get("custom_id", ""),
        invoice_id=body.get("invoice_id", ""),
        note=body.get("note_to_payer", ""),
        by=by,
        created=now(),
    )
    paypal.refunds.put(refund.id, refund)
    paypal.change_capture(capture)
    money = amount.shown()
    word = "REVERSED" if by == "reversal" else "REFUNDED"
    summary = f"A {money['currency_code']} {money['value']} capture payment was {word.lower()}"
    paypal.events.tell(f"PAYMENT.CAPTURE.{word}", order, refund_shown(order, refund), summary)
    return refund


def dispute(paypal: PayPal, order: Order, capture: Capture) -> Dispute:
    """Let the buyer open a case about a capture."""
    number = f"PP-D-{secrets.randbelow(90_000_000) + 10_000_000}"
    opened = Dispute(number, capture.id, order.id, capture.amount, now(), now())
    return _told(paypal, order, opened, "CREATED", "A new dispute opened")


def review(paypal: PayPal, order: Order, case: Dispute) -> Dispute:
    """Let PayPal look at a case."""
    return _told(paypal, order, _changed(case, status="UNDER_REVIEW"), "UPDATED", "A dispute was updated")


def close(paypal: PayPal, order: Order, case: Dispute, *, won: bool) -> Dispute:
    """Let PayPal decide a case, for the platform if `won`."""
    outcome = "RESOLVED_SELLER_FAVOUR" if won else "RESOLVED_BUYER_FAVOUR"
    decided = _changed(case, status="RESOLVED", outcome=outcome)
    return _told(paypal, order, decided, "RESOLVED", "A dispute was resolved")


def _changed(case: Dispute, **changes: str) -> Dispute:
    return msgspec.structs.replace(case, updated=now(), **changes)


def _told(paypal: PayPal, order: Order, case: Dispute, word: str, summary: str) -> Dispute:
    paypal.disputes.put(case.id, case)
    paypal.events.tell(
        f"CUSTOMER.DISPUTE.{word}", order, dispute_shown(order, case), f"{summary} with {case.id}"
    )
    return case
