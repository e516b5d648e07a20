"""Stripe's webhooks: the signature on the raw body, and what the event is about."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import stripe

from app.core.inbox import ForgedWebhook
from app.payments.gateway import Delivery
from app.payments.stripe_state import uuid_of

HEADER = "stripe-signature"
# Stripe signs anew for each attempt to deliver, so an old stamp is a replay.
TOLERANCE_SECONDS = 300


def verified(body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> Delivery:
    """The delivery that a raw body carries. Raises ForgedWebhook saying what is wrong."""
    header = headers.get(HEADER, "")
    # The SDK's comparison knows ASCII only.
    if not header.isascii():
        raise ForgedWebhook("the Stripe-Signature header is no ASCII")
    try:
        # Its age is judged here, by the given time and in both directions.
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None)
    except UnicodeDecodeError as error:
        raise ForgedWebhook("the body is no UTF-8") from error
    except stripe.SignatureVerificationError as error:
        raise ForgedWebhook(error.user_message or "the signature does not hold") from error
    _check_age(header, now)
    return _delivery(_event(body))


def _check_age(header: str, now: datetime) -> None:
    """The signature holds, so the first stamp in the header is the signed one."""
    stamp = re.search(r"(?:^|,)t=([^,=]+)", header)
    age = now.timestamp() - int(stamp[1]) if stamp else 0.0
    if stamp is None or abs(age) > TOLERANCE_SECONDS:
        raise ForgedWebhook(
            f"the time stamp is {age:.0f} s old; at most {TOLERANCE_SECONDS} s either way are allowed"
        )


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except ValueError as error:
        raise ForgedWebhook(f"the body is no JSON: {error}") from error
    if not isinstance(event, dict) or event.get("object") != "event":
        raise ForgedWebhook("the body is no event")
    told = event.get("data")
    thing = told.get("object") if isinstance(told, dict) else None
    if (
        not isinstance(event.get("id"), str)
        or not isinstance(event.get("type"), str)
        or not isinstance(thing, dict)
    ):
        raise ForgedWebhook("the event lacks its id, its type or its object")
    return event


def _delivery(event: dict[str, Any]) -> Delivery:
    thing = event["data"]["object"]
    kind, metadata = thing.get("object"), thing.get("metadata")
    payment = thing.get("id") if kind == "payment_intent" else _id_of(thing.get("payment_intent"))
    return Delivery(
        event_id=event["id"],
        type=event["type"],
        order_id=uuid_of(metadata if isinstance(metadata, dict) else None, "order_id"),
        session_id=thing.get("id") if kind == "checkout.session" else None,
        payment_id=payment,
        dispute_id=thing.get("id") if kind == "dispute" else None,
    )


def _id_of(reference: Any) -> str | None:
    """The id in a member that holds one, or holds the whole object."""
    found = reference.get("id") if isinstance(reference, dict) else reference
    return found if isinstance(found, str) else None
