"""What PayPal's stand-in delivers: which events, signed how, sent again how; checked here by hand, step by step."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.paypal.authority import PATH, SHORT, Authority
from sandbox.state import Store
from tests.sandbox.paypal_client import Merchant, capture_of
from tests.sandbox.receiver import Receiver, receiving
from tests.support.sandbox import RunningSandbox, running_sandbox


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    """Stands where the platform would."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def telling(listening: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox that delivers to it."""
    folder = tmp_path_factory.mktemp("telling")
    with running_sandbox(folder, public_url=listening.url) as sandbox:
        yield sandbox


@pytest.fixture
def receiver(listening: Receiver, telling: RunningSandbox) -> Receiver:
    """The receiver, empty."""
    telling.control.reset()
    listening.status = 200
    while not listening.messages.empty():
        listening.messages.get()
    return listening


@pytest.fixture
def merchant(telling: RunningSandbox, receiver: Receiver) -> Merchant:
    """A merchant whose events are delivered."""
    return Merchant(telling)


def certificate_of(sandbox: RunningSandbox, message: dict[str, str]) -> x509.Certificate:
    """The certificate that a message names."""
    answer = sandbox.http.get(message["paypal-cert-url"])
    assert answer.status_code == 200
    return x509.load_pem_x509_certificate(answer.content)


def check(sandbox: RunningSandbox, message: dict[str, str]) -> None:
    """Verify the signature as PayPal describes it."""
    parts = [
        message["paypal-transmission-id"],
        message["paypal-transmission-time"],
        sandbox.settings.paypal_webhook_id,
        str(binascii.crc32(message["body"].encode())),
    ]
    key = certificate_of(sandbox, message).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signature = base64.b64decode(message["paypal-transmission-sig"])
    key.verify(signature, "|".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256())


def test_a_delivery_is_signed_as_paypal_signs(merchant: Merchant, receiver: Receiver) -> None:
    done = merchant.paid()
    approved, completed = receiver.next(), receiver.next()
    assert {json.loads(m["body"])["event_type"] for m in (approved, completed)} == {
        "CHECKOUT.ORDER.APPROVED",
        "PAYMENT.CAPTURE.COMPLETED",
    }
    for message in (approved, completed):
        assert message["path"] == "/api/webhooks/paypal"
        assert (message["paypal-auth-algo"], message["paypal-auth-version"]) == ("SHA256withRSA", "v2")
        check(merchant.sandbox, message)
        sent = datetime.fromisoformat(message["paypal-transmission-time"])
        assert abs((datetime.now(UTC) - sent).total_seconds()) < 30
    bodies = {json.loads(m["body"])["event_type"]: json.loads(m["body"]) for m in (approved, completed)}
    resource = bodies["PAYMENT.CAPTURE.COMPLETED"]["resource"]
    assert resource["id"] == capture_of(done)["id"]
    assert resource["supplementary_data"]["related_ids"]["order_id"] == done["id"]
    assert bodies["CHECKOUT.ORDER.APPROVED"]["resource"]["status"] == "APPROVED"


def test_the_certificate_is_issued_by_the_authority_in_the_file(
    merchant: Merchant, receiver: Receiver
) -> None:
    merchant.act("approve", order_id=merchant.create()["id"])
    certificate = certificate_of(merchant.sandbox, receiver.next())
    authority = x509.load_pem_x509_certificate(merchant.sandbox.settings.paypal_authority_file.read_bytes())
    certificate.verify_directly_issued_by(authority)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["messageverificationcerts.paypal.com"]
    unknown = merchant.sandbox.http.get("/paypal/v1/notifications/certs/CERT-0")
    assert unknown.status_code == 404


def test_a_failed_delivery_is_sent_again_under_a_fresh_signature(
    merchant: Merchant, receiver: Receiver
) -> None:
    receiver.status = 500
    merchant.act("approve", order_id=merchant.create()["id"])
    first = receiver.next()
    receiver.status = 200
    second = receiver.next()
    assert first["body"] == second["body"]
    assert first["paypal-transmission-id"] != second["paypal-transmission-id"]
    check(merchant.sandbox, second)


def test_past_events_are_told_again_freshly_signed(merchant: Merchant, receiver: Receiver) -> None:
    merchant.paid()
    before = [receiver.next() for _ in range(2)]
    assert merchant.act("redeliver", times=3, shuffle=True)["deliveries"] == 6
    again = [receiver.next() for _ in range(6)]
    assert {m["body"] for m in again} == {m["body"] for m in before}
    assert len({m["paypal-transmission-id"] for m in (*before, *again)}) == 8
    for message in again:
        check(merchant.sandbox, message)
    event = json.loads(before[0]["body"])["id"]
    assert merchant.act("redeliver", event_id=event)["deliveries"] == 1
    assert receiver.next()["body"] == before[0]["body"]


def test_chaos_duplicates_and_drops(merchant: Merchant, receiver: Receiver) -> None:
    merchant.sandbox.control.chaos("paypal", duplicate_webhooks=1)
    merchant.act("approve", order_id=merchant.create()["id"])
    twice = [receiver.next() for _ in range(2)]
    assert twice[0]["body"] == twice[1]["body"]
    merchant.sandbox.control.chaos("paypal", drop_webhooks=1)
    merchant.act("approve", order_id=merchant.create()["id"])
    assert merchant.sandbox.control.webhooks("paypal")[-1]["problem"] == "dropped"


def test_the_certificate_is_made_anew_before_it_runs_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def certificate(sandbox: RunningSandbox) -> str:
        """The id of the certificate in use."""
        store = Store(sandbox.settings.state_file)
        try:
            return Authority(store, sandbox.settings.paypal_authority_file).id
        finally:
            store.close()

    with running_sandbox(tmp_path) as sandbox:
        authority, first = sandbox.settings.paypal_authority_file.read_bytes(), certificate(sandbox)
    with running_sandbox(tmp_path) as sandbox:
        assert certificate(sandbox) == first
    monkeypatch.setattr("sandbox.paypal.authority.RENEW", SHORT)
    with running_sandbox(tmp_path) as sandbox:
        assert sandbox.http.get(f"/paypal{PATH}{first}").status_code == 404
        assert sandbox.settings.paypal_authority_file.read_bytes() == authority
