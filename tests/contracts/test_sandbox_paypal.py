"""What the sandbox answers and tells in PayPal's place, against PayPal's own description."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.paypal import contract
from tests.contracts.specs import answers_valid, needs_specs, requests_valid, sample, validator
from tests.sandbox.paypal_client import CANCEL, Merchant, capture_of, euros, order, unit
from tests.support.sandbox import RunningSandbox

pytestmark = needs_specs


@pytest.fixture
def merchant(sandbox: RunningSandbox) -> Merchant:
    """A merchant with an access token."""
    return Merchant(sandbox)


def use_everything(merchant: Merchant) -> None:
    """Every state that an order, a capture and a refund can be in."""
    context = {"return_url": CANCEL, "cancel_url": CANCEL, "landing_page": "LOGIN", "locale": "en-GB"}
    merchant.create(payment_source=None, application_context=context)
    merchant.send("POST", "/v2/checkout/orders", order(), whole=False)
    merchant.act("approve", order_id=merchant.create()["id"])
    for outcome in ("completed", "pending"):
        done = merchant.paid(outcome)
        capture = capture_of(done)["id"]
        merchant.send("GET", f"/v2/payments/captures/{capture}")
        if outcome == "pending":
            merchant.act("settle", capture_id=capture, succeed=False)
            merchant.get(done["id"])
            continue
        body = {"amount": euros("20.00"), "invoice_id": "r-1", "custom_id": "r-1", "note_to_payer": "Sorry"}
        merchant.refund(capture, body)
        merchant.get(done["id"])
        merchant.send("POST", f"/v2/payments/captures/{capture}/refund", {}, whole=False)
        whole = merchant.get(done["id"])
        merchant.send("GET", f"/v2/payments/captures/{capture}")
        for refund in whole["purchase_units"][0]["payments"]["refunds"]:
            merchant.send("GET", f"/v2/payments/refunds/{refund['id']}")
    reversed_one = merchant.paid()
    merchant.act("refund", capture_id=capture_of(reversed_one)["id"], amount="1.00")
    merchant.act("reverse", capture_id=capture_of(reversed_one)["id"])
    settled = merchant.paid("pending")
    merchant.act("settle", capture_id=capture_of(settled)["id"], succeed=True)
    merchant.get(settled["id"])


def test_every_answer_and_request_meets_the_contract(merchant: Merchant) -> None:
    use_everything(merchant)
    recorded = merchant.sandbox.control.requests("paypal")
    answers, requests = answers_valid(recorded), requests_valid(recorded)
    assert answers.problems == []
    assert requests.problems == []
    assert answers.checked == requests.checked >= 22


def test_every_event_meets_the_contract(merchant: Merchant) -> None:
    use_everything(merchant)
    events = merchant.sandbox.control.call("GET", "/paypal/events")["items"]
    assert {event["event_type"] for event in events} == {
        "CHECKOUT.ORDER.APPROVED",
        "PAYMENT.CAPTURE.COMPLETED",
        "PAYMENT.CAPTURE.PENDING",
        "PAYMENT.CAPTURE.DENIED",
        "PAYMENT.CAPTURE.REFUNDED",
        "PAYMENT.CAPTURE.REVERSED",
    }
    assert [validator().event("paypal", event) for event in events] == [[]] * len(events)


def test_events_have_the_members_of_published_ones(merchant: Merchant) -> None:
    deliveries = sample("paypal-signed-deliveries.json")["deliveries"]
    merchant.paid()
    merchant.paid("pending")
    ours = {e["event_type"]: e for e in merchant.sandbox.control.call("GET", "/paypal/events")["items"]}
    for name, delivery in deliveries.items():
        theirs = validator()._json(delivery["body"])
        mine = ours[theirs["event_type"]]
        assert mine.keys() == theirs.keys(), name
        varies = {"invoice_id", "disbursement_mode", "custom_id", "payee", "supplementary_data"}
        assert mine["resource"].keys() ^ theirs["resource"].keys() <= varies, name
        assert (mine["resource_type"], mine["resource_version"]) == (
            theirs["resource_type"],
            theirs["resource_version"],
        )


def test_a_dispute_is_told_in_the_envelope_of_the_contract(merchant: Merchant) -> None:
    """The published description has no schema for disputes."""
    merchant.act("dispute", capture_id=capture_of(merchant.paid())["id"])
    event = merchant.sandbox.control.call("GET", "/paypal/events")["items"][-1]
    assert validator().event("paypal", event) == [
        "$.event_type: no resource schema is known here for 'CUSTOMER.DISPUTE.CREATED'"
    ]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v2/checkout/orders", {"intent": "CAPTURE"}, 400),
        ("/v2/checkout/orders", {**order(), "intent": "SELL"}, 400),
        ("/v2/checkout/orders", b"{", 400),
        ("/v2/checkout/orders", order(purchase_units=[unit(amount=euros("1.005"), items=None)]), 422),
        ("/v2/checkout/orders", order(purchase_units=[unit(amount=euros("90.00"))]), 422),
        ("/v2/checkout/orders/{order}/capture", {}, 422),
        ("/v2/checkout/orders/NOTHING/capture", {}, 404),
        ("/v2/payments/captures/{capture}/refund", {"amount": euros("1000.00")}, 422),
        ("/v2/payments/captures/{capture}/refund", {"amount": {"value": "1"}}, 400),
        ("/v2/payments/captures/NOTHING/refund", {}, 404),
    ],
)
def test_errors_meet_the_contract(merchant: Merchant, path: str, body: Any, status: int) -> None:
    capture = capture_of(merchant.paid())["id"]
    path = path.format(order=merchant.create()["id"], capture=capture)
    answer = merchant.send("POST", path, body)
    assert answer.status_code == status
    assert validator().response("paypal", "POST", path, status, answer.json()) == []


@pytest.mark.parametrize("status", [500, 503])
def test_faults_meet_the_contract(merchant: Merchant, status: int) -> None:
    merchant.sandbox.control.chaos("paypal", error_rate=1, status=status)
    answer = merchant.send("POST", "/v2/checkout/orders", order())
    assert answer.status_code == status
    assert validator().response("paypal", "POST", "/v2/checkout/orders", status, answer.json()) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (contract.ORDER, "orders.order_request"),
        (contract.UNIT, "orders.purchase_unit_request"),
        (contract.ITEM, "orders.item"),
        (contract.WALLET_CONTEXT, "orders.paypal_wallet_experience_context"),
        (contract.ORDER.members["application_context"], "orders.order_application_context"),
        (contract.REFUND, "payments.refund_request"),
    ],
)
def test_nothing_is_accepted_that_paypal_does_not_name(kind: contract.Shape, name: str) -> None:
    spec = validator().load("paypal")["components"]["schemas"][name]
    assert kind.members.keys() <= spec["properties"].keys()
    assert set(kind.required) == set(spec.get("required", ()))
