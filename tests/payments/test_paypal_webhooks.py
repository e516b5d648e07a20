"""PayPal's webhooks as the sandbox signs and delivers them, read by the adapter; and what a forger might try."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.core.inbox import ForgedWebhook
from app.payments.gateway import ProviderUnavailable
from app.payments.paypal import PayPalGateway
from sandbox.paypal.authority import Authority
from sandbox.state import Store
from tests.payments.paypal_desk import Desk, paypal_settings
from tests.sandbox.receiver import Receiver, receiving
from tests.support.sandbox import RunningSandbox, running_sandbox

Headers = dict[str, str]


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    """Stands where the platform would."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def telling(listening: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox that delivers to it."""
    with running_sandbox(tmp_path_factory.mktemp("telling"), public_url=listening.url) as sandbox:
        yield sandbox


@pytest.fixture
def receiver(listening: Receiver, telling: RunningSandbox) -> Receiver:
    """The receiver, empty."""
    telling.control.reset()
    while not listening.messages.empty():
        listening.messages.get()
    return listening


@pytest.fixture
async def desk(telling: RunningSandbox, receiver: Receiver) -> AsyncIterator[Desk]:
    """The adapter, and the vendor that tells it things."""
    gateway = PayPalGateway(paypal_settings(telling, paypal_timeout_seconds=2.0))
    yield Desk(gateway, telling)
    await gateway.close()


def now() -> datetime:
    return datetime.now(UTC)


def parts(message: dict[str, str]) -> tuple[bytes, Headers]:
    """Body and headers of a message."""
    return message["body"].encode(), {name: value for name, value in message.items() if name != "body"}


async def approval(desk: Desk, receiver: Receiver) -> tuple[bytes, Headers]:
    """A delivery that is good: an order was approved."""
    await desk.approved()
    return parts(receiver.next())


@dataclasses.dataclass
class Forger:
    """Signs with the sandbox's own key, or another, whatever it likes."""

    desk: Desk
    body: bytes
    headers: Headers

    def signed(self, sign: Callable[[bytes], bytes] | None = None, **changes: str) -> Headers:
        """The headers with some changed, signed anew by the certificate's key (or by `sign`)."""
        changed = self.headers | {
            f"paypal-{name.replace('_', '-')}": value for name, value in changes.items()
        }
        message = "|".join(
            [
                changed["paypal-transmission-id"],
                changed["paypal-transmission-time"],
                self.desk.sandbox.settings.paypal_webhook_id,
                str(binascii.crc32(self.body)),
            ]
        )
        signature = (sign or self._sign)(message.encode())
        return changed | {"paypal-transmission-sig": base64.b64encode(signature).decode()}

    def _sign(self, message: bytes) -> bytes:
        store = Store(self.desk.sandbox.settings.state_file)
        try:
            authority = Authority(store, self.desk.sandbox.settings.paypal_authority_file)
        finally:
            store.close()
        return authority.sign(message)


@pytest.fixture
async def forger(desk: Desk, receiver: Receiver) -> Forger:
    """Somebody who has seen a good delivery."""
    return Forger(desk, *await approval(desk, receiver))


async def test_each_delivery_says_what_it_is_about(desk: Desk, receiver: Receiver) -> None:
    wanted, session_id = await desk.approved()
    state = await desk.paypal.capture(session_id, wanted.order_id)
    await desk.refund(state, 1_000)
    dispute_id = desk.act("dispute", capture_id=state.payment_id)["dispute_id"]
    told = [await desk.paypal.verify(*parts(receiver.next()), now()) for _ in range(4)]
    events = {delivery.type: delivery for delivery in told}
    approved = events["CHECKOUT.ORDER.APPROVED"]
    assert (approved.order_id, approved.session_id, approved.payment_id) == (
        wanted.order_id,
        session_id,
        None,
    )
    completed = events["PAYMENT.CAPTURE.COMPLETED"]
    assert (completed.order_id, completed.session_id) == (wanted.order_id, session_id)
    assert completed.payment_id == state.payment_id
    refunded = events["PAYMENT.CAPTURE.REFUNDED"]
    assert (refunded.payment_id, refunded.order_id) == (state.payment_id, None)
    disputed = events["CUSTOMER.DISPUTE.CREATED"]
    assert (disputed.dispute_id, disputed.payment_id) == (dispute_id, state.payment_id)
    assert {delivery.event_id for delivery in told} == {event["id"] for event in desk.held("events")}


async def test_a_redelivery_is_the_same_event(desk: Desk, receiver: Receiver) -> None:
    body, headers = await approval(desk, receiver)
    desk.act("redeliver")
    again_body, again_headers = parts(receiver.next())
    assert headers["paypal-transmission-id"] != again_headers["paypal-transmission-id"]
    first = await desk.paypal.verify(body, headers, now())
    assert await desk.paypal.verify(again_body, again_headers, now()) == first


async def test_the_certificate_is_fetched_once(desk: Desk, receiver: Receiver) -> None:
    body, headers = await approval(desk, receiver)
    for _ in range(3):
        await desk.paypal.verify(body, headers, now())
    assert len(desk.requests("/certs/", "GET")) == 1


@pytest.mark.parametrize(
    "cut",
    [lambda b: b[:-1], lambda b: b + b" ", lambda b: b"", lambda b: b.replace(b"APPROVED", b"COMPLETED")],
)
async def test_a_changed_body_is_forged(forger: Forger, cut: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ForgedWebhook, match="does not fit"):
        await forger.desk.paypal.verify(cut(forger.body), forger.headers, now())


@pytest.mark.parametrize(
    "name", ["transmission-id", "transmission-time", "transmission-sig", "cert-url", "auth-algo"]
)
async def test_every_header_is_needed(forger: Forger, name: str) -> None:
    for headers in (
        {key: value for key, value in forger.headers.items() if key != f"paypal-{name}"},
        {**forger.headers, f"paypal-{name}": ""},
    ):
        with pytest.raises(ForgedWebhook, match=f"paypal-{name}|algorithm"):
            await forger.desk.paypal.verify(forger.body, headers, now())


async def test_another_webhook_id_is_another_merchants(forger: Forger) -> None:
    other = PayPalGateway(paypal_settings(forger.desk.sandbox, paypal_webhook_id="another"))
    with pytest.raises(ForgedWebhook, match="does not fit"):
        await other.verify(forger.body, forger.headers, now())
    await other.close()


async def test_another_key_does_not_sign_for_paypal(forger: Forger) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own = forger.signed(lambda message: key.sign(message, padding.PKCS1v15(), hashes.SHA256()))
    with pytest.raises(ForgedWebhook, match="does not fit"):
        await forger.desk.paypal.verify(forger.body, own, now())
    assert await forger.desk.paypal.verify(forger.body, forger.signed(), now())


@pytest.mark.parametrize("algorithm", ["SHA1withRSA", "sha256withrsa", "none", "SHA256withRSA "])
async def test_only_one_algorithm_is_accepted(forger: Forger, algorithm: str) -> None:
    with pytest.raises(ForgedWebhook, match="algorithm"):
        await forger.desk.paypal.verify(forger.body, forger.signed(auth_algo=algorithm), now())


@pytest.mark.parametrize(
    ("after", "is_good"),
    [
        (timedelta(days=4, seconds=-60), True),
        (timedelta(days=4, seconds=60), False),
        (timedelta(minutes=-4), True),
        (timedelta(minutes=-6), False),
    ],
)
async def test_old_and_future_transmissions_are_refused(
    forger: Forger, after: timedelta, is_good: bool
) -> None:
    if is_good:
        assert await forger.desk.paypal.verify(forger.body, forger.headers, now() + after)
    else:
        with pytest.raises(ForgedWebhook, match=r"too old|from the future"):
            await forger.desk.paypal.verify(forger.body, forger.headers, now() + after)


@pytest.mark.parametrize(
    "instant",
    ["yesterday", "2026-02-30T10:00:00Z", "2026-11-23T10:00:00", "2026-11-23 10:00:00Z", "1764000000"],
)
async def test_a_time_that_is_none_is_refused(forger: Forger, instant: str) -> None:
    with pytest.raises(ForgedWebhook, match="no instant"):
        await forger.desk.paypal.verify(forger.body, forger.signed(transmission_time=instant), now())


@pytest.mark.parametrize(
    "spoil", [lambda s: s[:-1], lambda s: s + "\n", lambda s: "*" + s[1:], lambda s: s[:4]]
)
async def test_a_signature_that_is_none_is_refused(forger: Forger, spoil: Callable[[str], str]) -> None:
    spoilt = forger.headers | {"paypal-transmission-sig": spoil(forger.headers["paypal-transmission-sig"])}
    with pytest.raises(ForgedWebhook, match=r"base64|does not fit"):
        await forger.desk.paypal.verify(forger.body, spoilt, now())


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", b"7", b'{"id": "WH-1"}', b'{"id": 7, "event_type": "x"}', b"\xff", b"[" * 100_000],
)
async def test_a_signed_body_that_is_no_event_is_refused(forger: Forger, body: bytes) -> None:
    signed = dataclasses.replace(forger, body=body)
    with pytest.raises(ForgedWebhook, match=r"no JSON|no event"):
        await forger.desk.paypal.verify(body, signed.signed(), now())


async def test_an_unknown_type_is_read_and_about_nothing(forger: Forger) -> None:
    body = json.dumps({"id": "WH-1", "event_type": "VAULT.PAYMENT-TOKEN.CREATED", "resource": {}}).encode()
    signed = dataclasses.replace(forger, body=body).signed()
    delivery = await forger.desk.paypal.verify(body, signed, now())
    assert (delivery.type, delivery.order_id, delivery.session_id) == (
        "VAULT.PAYMENT-TOKEN.CREATED",
        None,
        None,
    )


async def test_a_certificate_that_cannot_be_had_leaves_it_open(forger: Forger) -> None:
    forger.desk.chaos(error_rate=1, match="/certs/")
    with pytest.raises(ProviderUnavailable):
        await forger.desk.paypal.verify(forger.body, forger.headers, now())
    forger.desk.chaos()
    assert await forger.desk.paypal.verify(forger.body, forger.headers, now()), "and it is asked for again"
