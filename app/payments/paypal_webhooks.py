"""PayPal's webhook signature, checked without asking PayPal.

Scheme: developer.paypal.com/api/rest/webhooks: RSA PKCS#1 v1.5 with SHA-256 over
`transmission id|transmission time|webhook id|CRC-32 of the raw body`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from app.core.inbox import ForgedWebhook
from app.payments.paypal_certificates import Certificates

ALGORITHM = "SHA256withRSA"
OLDEST = timedelta(days=4)  # PayPal repeats a delivery for up to 3 days, with the time of the first
NEWEST = timedelta(minutes=5)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


async def event_of(
    certificates: Certificates, webhook_id: str, body: bytes, headers: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """The event of a delivery whose signature holds.

    `headers` by lower-case name, `now` machine time. Raises ForgedWebhook saying what is wrong, and
    ProviderUnavailable if the certificate can't be had.
    """
    if _header(headers, "auth-algo") != ALGORITHM:
        raise ForgedWebhook(f"the algorithm is not {ALGORITHM}")
    transmission, instant = _header(headers, "transmission-id"), _header(headers, "transmission-time")
    _check_age(instant, now)
    signature = _signature(_header(headers, "transmission-sig"))
    key = await certificates.key(_header(headers, "cert-url"), now)
    message = f"{transmission}|{instant}|{webhook_id}|{binascii.crc32(body)}"
    try:
        key.verify(signature, message.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise ForgedWebhook("the signature does not fit") from None
    return _decoded(body)


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(f"paypal-{name}", "")
    if not value:
        raise ForgedWebhook(f"there is no header paypal-{name}")
    return value


def _check_age(instant: str, now: datetime) -> None:
    try:
        if not _INSTANT.fullmatch(instant):
            raise ValueError(instant)
        sent = datetime.fromisoformat(instant)
    except ValueError:
        raise ForgedWebhook("the transmission time is no instant") from None
    if now - sent > OLDEST:
        raise ForgedWebhook("the transmission is too old")
    if sent - now > NEWEST:
        raise ForgedWebhook("the transmission is from the future")


def _signature(text: str) -> bytes:
    """The signature's bytes; only one spelling of them is good."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ForgedWebhook("the signature is no base64") from None
    if base64.b64encode(raw).decode() != text:
        raise ForgedWebhook("the signature is no canonical base64")
    return raw


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise ForgedWebhook("the body is no JSON") from None
    if not isinstance(event, dict) or not all(
        isinstance(event.get(name), str) and event[name] for name in ("id", "event_type")
    ):
        raise ForgedWebhook("the body is no event")
    return event
