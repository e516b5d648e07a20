"""The signed deliveries that PayPal published: they verify, and nothing but exactly they does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.core.inbox import ForgedWebhook
from app.payments.paypal_certificates import Certificates
from app.payments.paypal_webhooks import event_of
from app.settings import Settings
from tests.contracts.specs import FOLDER, needs_specs, sample

pytestmark = needs_specs

NAMES = ("PAYMENT_CAPTURE_PENDING_V2", "PAYMENT_CAPTURE_COMPLETED_V2")
THEN = datetime(2024, 8, 2, 19, 40, tzinfo=UTC)  # the certificate ran out in 2025
WEBHOOK_ID = "WEBHOOK_ID"  # the simulator signs with these letters
SIGNED = (
    "paypal-transmission-id",
    "paypal-transmission-time",
    "paypal-transmission-sig",
    "paypal-cert-url",
    "paypal-auth-algo",
)
PUBLISHED: dict[str, Any] = (
    sample("paypal-signed-deliveries.json") if (FOLDER / "validate.py").is_file() else {}
)


async def fetch(url: str) -> bytes:
    """PayPal's certificates as they were published; nothing lies anywhere else."""
    if url not in PUBLISHED["certs"]:
        raise ForgedWebhook(f"there is no certificate at {url}")
    content: str = PUBLISHED["certs"][url]
    return content.encode()


CERTIFICATES = Certificates(Settings(), fetch)


async def verify(
    body: bytes, headers: Mapping[str, str], *, now: datetime = THEN, webhook_id: str = WEBHOOK_ID
) -> dict[str, Any]:
    return await event_of(CERTIFICATES, webhook_id, body, headers, now)


def delivery(name: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers as they were sent."""
    published = PUBLISHED["deliveries"][name]
    return published["body"].encode(), dict(published["headers"])


@pytest.mark.parametrize("name", NAMES)
async def test_a_published_delivery_verifies(name: str) -> None:
    body, headers = delivery(name)
    assert await verify(body, headers) == json.loads(body)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("now", "why"),
    [
        (THEN + timedelta(days=5), "too old"),
        (THEN - timedelta(hours=1), "from the future"),
    ],
)
async def test_it_does_at_that_time_only(name: str, now: datetime, why: str) -> None:
    body, headers = delivery(name)
    with pytest.raises(ForgedWebhook, match=why):
        await verify(body, headers, now=now)


async def test_the_certificate_is_good_while_it_lasts() -> None:
    (url,) = PUBLISHED["certs"]
    assert await CERTIFICATES.key(url, datetime(2025, 3, 7, 12, tzinfo=UTC))
    for out in (datetime(2025, 3, 8, 1, tzinfo=UTC), datetime(2024, 3, 7, 12, tzinfo=UTC)):
        with pytest.raises(ForgedWebhook, match="not trusted"):
            await CERTIFICATES.key(url, out)


@pytest.mark.parametrize("name", NAMES)
async def test_it_is_for_one_webhook_only(name: str) -> None:
    body, headers = delivery(name)
    with pytest.raises(ForgedWebhook, match="does not fit"):
        await verify(body, headers, webhook_id="webhook_id")


@pytest.mark.parametrize("name", NAMES)
async def test_no_header_may_be_missing(name: str) -> None:
    body, headers = delivery(name)
    for missing in SIGNED:
        with pytest.raises(ForgedWebhook):
            await verify(body, {key: value for key, value in headers.items() if key != missing})


async def test_signatures_are_not_exchanged() -> None:
    (pending, theirs), (_, others) = delivery(NAMES[0]), delivery(NAMES[1])
    for swapped in SIGNED[:3]:
        with pytest.raises(ForgedWebhook, match="does not fit"):
            await verify(pending, {**theirs, swapped: others[swapped]})


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(NAMES), place=st.integers(0, 10_000), byte=st.integers(0, 255))
async def test_no_byte_of_the_body_may_change(name: str, place: int, byte: int) -> None:
    body, headers = delivery(name)
    place %= len(body)
    assume(body[place] != byte)
    with pytest.raises(ForgedWebhook, match="does not fit"):
        await verify(body[:place] + bytes([byte]) + body[place + 1 :], headers)


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    header=st.sampled_from(SIGNED),
    place=st.integers(0, 1_000),
    byte=st.integers(0, 255),
)
async def test_no_byte_of_a_signed_header_may_change(name: str, header: str, place: int, byte: int) -> None:
    body, headers = delivery(name)
    value = headers[header]
    place %= len(value)
    assume(value[place] != chr(byte))
    with pytest.raises(ForgedWebhook):
        await verify(body, {**headers, header: value[:place] + chr(byte) + value[place + 1 :]})


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    place=st.integers(0, 10_000),
    more=st.binary(min_size=1, max_size=4),
    cut=st.booleans(),
)
async def test_nothing_may_be_added_or_cut(name: str, place: int, more: bytes, cut: bool) -> None:
    body, headers = delivery(name)
    place %= len(body)
    changed = body[:place] + body[place + len(more) :] if cut else body[:place] + more + body[place:]
    with pytest.raises(ForgedWebhook, match="does not fit"):
        await verify(changed, headers)


async def test_every_single_bit_of_a_short_header_matters() -> None:
    body, headers = delivery(NAMES[0])
    for header in SIGNED:
        value = headers[header].encode()
        for place in range(len(value)):
            flipped = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
            with pytest.raises(ForgedWebhook):
                await verify(body, {**headers, header: flipped.decode("latin-1")})
