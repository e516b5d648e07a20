"""Payment intents and charges: what paying leaves behind."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.service import Stripe
from sandbox.stripe.things import Thing, list_of, new_id, now

DECLINED = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
}


def charged(stripe: Stripe, session: Thing, status: str) -> Thing:
    """The session's intent after an attempt to charge its total; `status` is that of the charge."""
    intent = stripe.intents.get(session["payment_intent"] or "") or _intent(session)
    charge = stripe.charges.put(_charge(session, intent, status))
    used = {"latest_charge": charge["id"], "payment_method": charge["payment_method"]}
    return outcome(stripe, {**intent, **used}, status)


def settled(stripe: Stripe, session: Thing, status: str) -> Thing:
    """The intent after its pending charge has succeeded or failed."""
    intent = stripe.intents.need(session["payment_intent"])
    charge = stripe.charges.need(intent["latest_charge"])
    stripe.charges.change(charge, **_outcome_of_charge(charge["amount"], status))
    return outcome(stripe, intent, status)


def outcome(stripe: Stripe, intent: Thing, status: str) -> Thing:
    """Keep the intent as a charge's status leaves it."""
    statuses = {"succeeded": "succeeded", "pending": "processing", "failed": "requires_payment_method"}
    return stripe.intents.put(
        {
            **intent,
            "amount_received": intent["amount"] if status == "succeeded" else 0,
            "last_payment_error": DECLINED if status == "failed" else None,
            "payment_method": None if status == "failed" else intent["payment_method"],
            "status": statuses[status],
        }
    )


def _intent(session: Thing) -> Thing:
    id_, data = new_id("pi"), session["_intent_data"]
    return {
        "id": id_,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{id_}_secret_{new_id('s')}",
        "confirmation_method": "automatic",
        "created": now(),
        "currency": session["currency"],
        "customer": None,
        "customer_account": None,
        "description": data.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": data.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": data.get("receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def _charge(session: Thing, intent: Thing, status: str) -> Thing:
    id_, amount = new_id("ch"), session["amount_total"]
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "id": id_,
        "object": "charge",
        "amount": amount,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "billing_details": {
            "address": address,
            "email": session["customer_email"],
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": None,
        "created": now(),
        "currency": session["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm"),
        "payment_method_details": _method(status),
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "_refunds": list_of([], f"/v1/charges/{id_}/refunds"),
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "transfer_data": None,
        "transfer_group": None,
        **_outcome_of_charge(amount, status),
    }


def _outcome_of_charge(amount: int, status: str) -> Thing:
    failed = status == "failed"
    outcome_: dict[str, Any] = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if failed else "approved_by_network",
        "reason": "generic_decline" if failed else None,
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details." if failed else "Payment complete.",
        "type": "issuer_declined" if failed else "authorized",
    }
    return {
        "amount_captured": amount if status == "succeeded" else 0,
        "balance_transaction": new_id("txn") if status == "succeeded" else None,
        "captured": not failed,
        "failure_code": "card_declined" if failed else None,
        "failure_message": "Your card was declined." if failed else None,
        "outcome": outcome_,
        "paid": status == "succeeded",
        "status": status,
    }


def _method(status: str) -> Thing:
    if status == "pending":
        debit = dict.fromkeys(("bank_code", "branch_code", "country", "fingerprint", "last4", "mandate"))
        return {"type": "sepa_debit", "sepa_debit": {**debit, "country": "DE", "last4": "3000"}}
    card = {
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": "sandbox",
        "funding": "credit",
        "installments": None,
        "last4": "0002" if status == "failed" else "4242",
        "mandate": None,
        "network": "visa",
        "three_d_secure": None,
        "wallet": None,
    }
    return {"type": "card", "card": card}
