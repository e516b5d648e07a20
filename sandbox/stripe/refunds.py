"""Refunds and disputes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stripe.contract import PAGING, exactly_one, members, metadata, one_of, text, whole
from sandbox.stripe.errors import invalid
from sandbox.stripe.money import shown
from sandbox.stripe.service import Stripe
from sandbox.stripe.things import Thing, new_id, now

REFUND = members(
    "",
    amount=whole(1),
    charge=text(),
    metadata=metadata,
    payment_intent=text(),
    reason=one_of("duplicate", "fraudulent", "requested_by_customer"),
)
REFUNDS = members("", **PAGING, charge=text(), payment_intent=text())
DISPUTES = members("", **PAGING, charge=text(), payment_intent=text())
EVIDENCE = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
]


def refund(stripe: Stripe, params: Mapping[str, Any]) -> Thing:
    """Give back all or a part of a charge. Raises StripeError 400 for more than is left of it."""
    charge = _charge_of(stripe, params)
    left = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"]:
        raise invalid(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", "", "charge_disputed"
        )
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise invalid(message, "", "charge_already_refunded")
    amount = params.get("amount", left)
    unit = charge["currency"]
    if amount > left:
        raise invalid(
            f"Refund amount ({shown(amount, unit)}) is greater than unrefunded amount on charge "
            f"({shown(left, unit)})",
            "amount",
        )
    made = stripe.refunds.put(_made(charge, amount, params))
    stripe.events.tell("refund.created", made)
    after = _returned(stripe, charge, amount)
    before = {name: charge[name] for name in ("amount_refunded", "refunded") if charge[name] != after[name]}
    stripe.events.tell("charge.refunded", after, before)
    return made


def _charge_of(stripe: Stripe, params: Mapping[str, Any]) -> Thing:
    if exactly_one(dict(params), "", "payment_intent", "charge") == "charge":
        charge = stripe.charges.need(params["charge"], "charge")
    else:
        intent = stripe.intents.need(params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise invalid(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                "payment_intent",
            )
        charge = stripe.charges.need(intent["latest_charge"])
    if not charge["paid"]:
        raise invalid(f"Charge {charge['id']} was not paid; there is nothing to refund.", "charge")
    return charge


def _returned(stripe: Stripe, charge: Thing, amount: int) -> Thing:
    """The charge with so much more (or less) of it given back."""
    total = charge["amount_refunded"] + amount
    return stripe.charges.change(charge, amount_refunded=total, refunded=total == charge["amount"])


def _made(charge: Thing, amount: int, params: Mapping[str, Any]) -> Thing:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": now(),
        "currency": charge["currency"],
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def delay(stripe: Stripe, id_: str) -> Thing:
    """Let a refund wait, as one does that the balance can't cover. Raises StripeError 400 unless it succeeded."""
    found = _in_status(stripe, id_, "succeeded")
    waiting = stripe.refunds.change(found, status="pending", pending_reason="insufficient_funds")
    stripe.events.tell("refund.updated", waiting, {"status": found["status"]})
    return waiting


def succeed(stripe: Stripe, id_: str) -> Thing:
    """Let a waiting refund succeed. Raises StripeError 400 unless it waits."""
    found = _in_status(stripe, id_, "pending")
    done = stripe.refunds.change(found, status="succeeded", pending_reason=None)
    stripe.events.tell("refund.updated", done, {"status": found["status"]})
    return done


def fail(stripe: Stripe, id_: str) -> Thing:
    """Let a refund fail at the buyer's bank: the money is ours again. Raises StripeError 400 for a failed one."""
    found = _in_status(stripe, id_, "succeeded", "pending")
    failed = stripe.refunds.change(
        found,
        status="failed",
        failure_reason="expired_or_canceled_card",
        failure_balance_transaction=new_id("txn"),
    )
    _returned(stripe, stripe.charges.need(found["charge"]), -found["amount"])
    stripe.events.tell("refund.updated", failed, {"status": found["status"]})
    stripe.events.tell("refund.failed", failed)
    return failed


def _in_status(stripe: Stripe, id_: str, *statuses: str) -> Thing:
    found = stripe.refunds.need(id_)
    if found["status"] not in statuses:
        raise invalid(f"Refund {id_} is {found['status']}.")
    return found


def dispute(stripe: Stripe, intent_id: str) -> Thing:
    """The buyer disputes a payment at the bank. Raises StripeError 400 if it was not paid or is disputed."""
    charge = _charge_of(stripe, {"payment_intent": intent_id})
    if charge["disputed"]:
        raise invalid(f"Charge {charge['id']} is disputed already.")
    stripe.charges.change(charge, disputed=True)
    eligible: Thing = {"enhanced_eligibility": {}, "has_evidence": False, "past_due": False}
    made = stripe.disputes.put(
        {
            "id": new_id("du"),
            "object": "dispute",
            "amount": charge["amount"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": now(),
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
            "evidence_details": {
                **eligible,
                "due_by": now() + 7 * 86400,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "card": {
                    "brand": "visa",
                    "case_type": "chargeback",
                    "network": "visa",
                    "network_reason_code": "10.4",
                },
                "type": "card",
            },
            "reason": "fraudulent",
            "status": "needs_response",
        }
    )
    stripe.events.tell("charge.dispute.created", made)
    return made


def close_dispute(stripe: Stripe, id_: str, *, won: bool) -> Thing:
    """The bank decides for us or for the buyer. Raises StripeError 400 if it has decided."""
    found = stripe.disputes.need(id_)
    if found["status"] in ("won", "lost"):
        raise invalid(f"Dispute {id_} is {found['status']}.")
    closed = stripe.disputes.change(found, status="won" if won else "lost")
    stripe.events.tell("charge.dispute.closed", closed, {"status": found["status"]})
    return closed
