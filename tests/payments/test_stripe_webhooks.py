"""Stripe's webhooks as the platform reads them: what the sandbox delivers holds, everything else is forged."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.inbox import ForgedWebhook
from app.payments.gateway import Delivery
from app.payments.stripe import StripeGateway
from app.settings import Settings
from tests.payments.stripe_desk import Desk, purchase, stripe_settings
from tests.sandbox.receiver import Receiver, receiving
from tests.support.sandbox import RunningSandbox, running_sandbox

SECRET = "whsec_sandbox"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "checkout.session.completed",
    "data": {"object": {"id": "cs_1", "object": "checkout.session", "metadata": {}}},
}
BODY = json.dumps(EVENT).encode()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """The platform's place: keeps what is delivered."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def delivering(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox that delivers to the receiver."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), public_url=receiver.url) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def gateway() -> StripeGateway:
    """The adapter; reading webhooks it asks nobody."""
    return StripeGateway(Settings(stripe_secret_key="sk_test", stripe_webhook_secret=SECRET))


def signed(body: bytes, stamp: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers of a delivery that is signed at `stamp` (epoch seconds, default now)."""
    at = int(time.time() if stamp is None else stamp)
    header = stripe.WebhookSignature.generate_signature_header(body.decode("latin-1"), secret, at)
    return {"stripe-signature": header}


def now() -> datetime:
    return datetime.now(UTC)


async def forged(gateway: StripeGateway, body: bytes, headers: dict[str, str]) -> str:
    """The reason with which a delivery is refused."""
    with pytest.raises(ForgedWebhook) as raised:
        await gateway.verify(body, headers, now())
    return str(raised.value)


async def test_what_stripe_delivers_is_read(delivering: RunningSandbox, receiver: Receiver) -> None:
    desk = Desk(StripeGateway(stripe_settings(delivering)), delivering)
    order = purchase()
    opened = await desk.stripe.open(order)
    session = desk.act("pay", session_id=opened.session_id)
    payment = session["payment_intent"]
    refund = desk.act("refund", payment_intent=payment, amount=100)
    dispute = desk.act("dispute", payment_intent=payment)
    read: dict[str, Delivery] = {}
    for _ in range(5):
        message = receiver.next()
        body = message.pop("body").encode()
        delivery = await desk.stripe.verify(body, message, now())
        read[delivery.type] = delivery
    known = {event["type"]: event for event in delivering.control.call("GET", "/stripe/events")["items"]}
    assert {kind: one.event_id for kind, one in read.items()} == {kind: e["id"] for kind, e in known.items()}
    done = read["checkout.session.completed"]
    assert (done.order_id, done.session_id, done.payment_id) == (order.order_id, opened.session_id, payment)
    for kind in ("payment_intent.succeeded", "charge.refunded"):
        assert (read[kind].order_id, read[kind].session_id, read[kind].payment_id) == (
            order.order_id,
            None,
            payment,
        )
    assert (read["refund.created"].order_id, read["refund.created"].payment_id) == (None, payment)
    told = read["charge.dispute.created"]
    assert (told.dispute_id, told.payment_id, told.order_id) == (dispute["id"], payment, None)
    assert refund["payment_intent"] == payment
    await desk.stripe.close()


async def test_a_signature_of_now_holds(gateway: StripeGateway) -> None:
    read = await gateway.verify(BODY, signed(BODY), now())
    assert read == Delivery(event_id="evt_1", type="checkout.session.completed", session_id="cs_1")


@pytest.mark.parametrize("seconds", [-301, -3600, -86400 * 30, 301, 3600])
async def test_stale_and_future_stamps_are_forged(gateway: StripeGateway, seconds: int) -> None:
    assert "time stamp" in await forged(gateway, BODY, signed(BODY, time.time() + seconds))


@pytest.mark.parametrize("seconds", [-290, 0, 290])
async def test_stamps_within_five_minutes_hold(gateway: StripeGateway, seconds: int) -> None:
    assert await gateway.verify(BODY, signed(BODY, time.time() + seconds), now())


async def test_the_stamp_is_measured_by_the_given_time(gateway: StripeGateway) -> None:
    then = now() - timedelta(days=400)
    assert await gateway.verify(BODY, signed(BODY, then.timestamp()), then)
    with pytest.raises(ForgedWebhook):
        await gateway.verify(BODY, signed(BODY), then)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "nonsense"},
        {"stripe-signature": "t=,v1="},
        {"stripe-signature": "t=soon,v1=abc"},
        {"stripe-signature": f"t={int(time.time())}"},
        {"stripe-signature": f"t={int(time.time())},v0=abc"},
        {"stripe-signature": f"t={int(time.time())},v1=abc"},
        {"stripe-signature": f"t={int(time.time())},v1=ä"},
        signed(BODY, secret="whsec_other"),
        {"stripe-signature": signed(BODY)["stripe-signature"].replace("v1", "v0")},
        {"stripe-signature": "t=1," + signed(BODY)["stripe-signature"]},
    ],
)
async def test_wrong_signatures_are_forged(gateway: StripeGateway, headers: dict[str, str]) -> None:
    assert await forged(gateway, BODY, headers)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"event"',
        b"{}",
        b"\xff\xfe",
        b'{"object": "event"}',
        b'{"object": "event", "id": "evt_1", "type": "x"}',
        b'{"object": "event", "id": 5, "type": "x", "data": {"object": {}}}',
        b'{"object": "event", "id": "evt_1", "type": "x", "data": []}',
        b'{"object": "event", "id": "evt_1", "type": "x", "data": {"object": "cs_1"}}',
        b'{"object": "refund", "id": "evt_1", "type": "x", "data": {"object": {}}}',
        BODY[:-1],
        BODY[:20],
    ],
)
async def test_signed_bodies_that_are_no_event_are_forged(gateway: StripeGateway, body: bytes) -> None:
    assert await forged(gateway, body, signed(body))


async def test_a_cut_body_does_not_hold(gateway: StripeGateway) -> None:
    assert "No signatures found" in await forged(gateway, BODY[:-10], signed(BODY))


@settings(max_examples=200)
@given(place=st.integers(0, len(BODY) - 1), change=st.integers(1, 255))
async def test_no_byte_of_the_body_can_be_changed(gateway: StripeGateway, place: int, change: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= change
    assert await forged(gateway, bytes(changed), signed(BODY))


@given(
    kind=st.sampled_from(["refund", "charge", "x", 5, None]),
    rest=st.dictionaries(
        st.sampled_from(["metadata", "payment_intent", "id"]),
        st.none()
        | st.text(max_size=5)
        | st.integers()
        | st.dictionaries(st.sampled_from(["order_id", "id"]), st.text()),
    ),
)
@settings(max_examples=200)
async def test_whatever_is_signed_is_read_or_refused(
    gateway: StripeGateway, kind: Any, rest: dict[str, Any]
) -> None:
    body = json.dumps({**EVENT, "data": {"object": {"object": kind, **rest}}}).encode()
    read = await gateway.verify(body, signed(body), now())
    assert read.event_id == "evt_1"
    assert isinstance(read.payment_id, str | None)
