"""What our adapter sends to PayPal, and what comes back, against PayPal's own description."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from app.payments.gateway import Discount, ProviderRefused, ProviderUnavailable
from app.payments.paypal import PayPalGateway
from tests.contracts.specs import answers_valid, needs_specs, requests_valid
from tests.payments.paypal_desk import Desk, paypal_settings, purchase
from tests.support.sandbox import RunningSandbox

pytestmark = needs_specs

TEN = Discount(code="WELCOME10", percent_off=10.0, provider_reference="promo_1")


@pytest.fixture
async def desk(sandbox: RunningSandbox) -> AsyncIterator[Desk]:
    """The adapter in front of a fresh sandbox."""
    gateway = PayPalGateway(paypal_settings(sandbox))
    yield Desk(gateway, sandbox)
    await gateway.close()


async def use_everything(desk: Desk) -> None:
    """Every call that the adapter makes, in the order of a sale and its return, with the failures that occur."""
    await desk.paypal.check()
    await desk.paypal.publish(uuid4(), title="Four", amount=12_000, currency="EUR", replaces=None)
    wanted, opened = await desk.opened(discount=TEN, title="Größe „12“ " * 20)
    await desk.paypal.open(wanted)
    await desk.paypal.end(opened.session_id)
    await desk.paypal.capture(opened.session_id, wanted.order_id)
    await desk.opened(amount=1_500, currency="JPY")
    state = await desk.paid()
    refund_id = uuid4()
    desk.chaos(error_rate=1, after=True, match="/refund", count=1)
    await desk.refund(state, 1_001, refund_id)
    await desk.refund(state, 1_001, refund_id)
    await desk.refund(state, 10_999)
    declined, session_id = await desk.approved("declined")
    await desk.paypal.capture(session_id, declined.order_id)
    await desk.paid("pending")
    dispute_id = desk.act("dispute", capture_id=state.payment_id)["dispute_id"]
    await desk.paypal.find(state.session_id, dispute_id)
    with pytest.raises(ProviderRefused):
        await desk.paypal.open(purchase(amount=0))
    desk.chaos(error_rate=1)
    with pytest.raises(ProviderUnavailable):
        await desk.paypal.find(state.session_id)


async def test_everything_we_send_meets_the_contract(desk: Desk) -> None:
    await use_everything(desk)
    recorded = desk.sandbox.control.requests("paypal")
    requests, answers = requests_valid(recorded), answers_valid(recorded)
    assert requests.problems == []
    assert answers.problems == []
    operations = {(item["method"], item["path"].rpartition("/")[2][:7], item["status"]) for item in recorded}
    assert {
        ("POST", "token", 200),
        ("POST", "orders", 201),
        ("POST", "orders", 200),
        ("POST", "orders", 422),
        ("POST", "capture", 201),
        ("POST", "capture", 422),
        ("POST", "refund", 201),
        ("POST", "refund", 500),
        ("POST", "product", 201),
    } <= operations
    assert requests.checked >= 20
    assert answers.checked >= 12


async def test_what_changes_money_carries_a_key_of_ours(desk: Desk) -> None:
    await use_everything(desk)
    for item in desk.requests(method="POST"):
        if "/oauth2/" not in item["path"]:
            assert 36 <= len(item["headers"]["paypal-request-id"]) <= 108


async def test_refunds_carry_our_id_where_paypal_looks_for_repetitions(desk: Desk) -> None:
    state, refund_id = await desk.paid(), uuid4()
    await desk.refund(state, 500, refund_id)
    (sent,) = desk.requests("/refund")
    assert sent["headers"]["paypal-request-id"] == str(refund_id)
    assert sent["body"]["custom_id"] == sent["body"]["invoice_id"] == str(refund_id)
