"""Refunds and disputes at Stripe's stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.stripe_client import act, by_hand, by_sdk, error_of, events, opened, paid
from tests.support.sandbox import RunningSandbox


@pytest.fixture
def payment(sandbox: RunningSandbox) -> str:
    """A payment of 120.00 EUR."""
    intent: str = paid(sandbox)["payment_intent"]
    return intent


def charge_of(sandbox: RunningSandbox, payment: str) -> Any:
    expand = {"expand": ["latest_charge"]}
    return by_sdk(sandbox, lambda v1: v1.payment_intents.retrieve_async(payment, expand)).latest_charge


def test_a_payment_is_refunded_in_parts_and_no_further(sandbox: RunningSandbox, payment: str) -> None:
    params = {
        "payment_intent": payment,
        "amount": 5_000,
        "metadata": {"refund_id": "1"},
        "reason": "duplicate",
    }
    first = by_sdk(sandbox, lambda v1: v1.refunds.create_async(params))
    assert (first.amount, first.status, first.reason, first.payment_intent) == (
        5_000,
        "succeeded",
        "duplicate",
        payment,
    )
    charge = charge_of(sandbox, payment)
    assert (charge.amount_refunded, charge.refunded) == (5_000, False)
    error = error_of(by_hand(sandbox, "refunds", {"payment_intent": payment, "amount": "7001"}))
    assert "greater than unrefunded amount" in error["message"]
    rest = by_sdk(sandbox, lambda v1: v1.refunds.create_async({"charge": charge.id}))
    assert rest.amount == 7_000
    assert charge_of(sandbox, payment).refunded
    again = error_of(by_hand(sandbox, "refunds", {"payment_intent": payment}))
    assert again["code"] == "charge_already_refunded"
    listed = by_sdk(sandbox, lambda v1: v1.refunds.list_async({"payment_intent": payment}))
    assert [one.id for one in listed.data] == [rest.id, first.id]
    assert by_sdk(sandbox, lambda v1: v1.refunds.retrieve_async(first.id)).to_dict() == first.to_dict()
    told = events(sandbox, "refund.created", "charge.refunded")
    assert [event["type"] for event in told] == ["refund.created", "charge.refunded"] * 2
    assert told[1]["data"]["object"]["amount_refunded"] == 5_000
    assert told[1]["data"]["previous_attributes"] == {"amount_refunded": 0}
    assert told[3]["data"]["previous_attributes"] == {"amount_refunded": 5_000, "refunded": False}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "parameter_missing"),
        ({"payment_intent": "pi_unknown"}, "resource_missing"),
        ({"charge": "ch_unknown"}, "resource_missing"),
        ({"payment_intent": "{payment}", "amount": "0"}, "parameter_invalid_integer"),
        ({"payment_intent": "{payment}", "amount": "1.5"}, "parameter_invalid_integer"),
        ({"payment_intent": "{payment}", "reason": "regret"}, None),
        ({"payment_intent": "{payment}", "charge": "ch_1"}, None),
        ({"payment_intent": "{payment}", "currency": "eur"}, "parameter_unknown"),
    ],
)
def test_stripe_refuses_refunds(
    sandbox: RunningSandbox, payment: str, params: dict[str, str], code: str | None
) -> None:
    given = {name: value.format(payment=payment) for name, value in params.items()}
    assert error_of(by_hand(sandbox, "refunds", given)).get("code") == code
    assert sandbox.control.call("GET", "/stripe/refunds")["items"] == []


def test_what_was_not_paid_can_not_be_refunded(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    declined = act(sandbox, "decline", session_id=session.id)["payment_intent"]
    error_of(by_hand(sandbox, "refunds", {"payment_intent": declined}))
    waiting = act(sandbox, "pay", session_id=session.id, **{"async": True})["payment_intent"]
    error_of(by_hand(sandbox, "refunds", {"payment_intent": waiting}))


def test_refunds_wait_succeed_and_fail(sandbox: RunningSandbox, payment: str) -> None:
    made = act(sandbox, "refund", payment_intent=payment, amount=2_000, metadata={"by": "hand"})
    assert made["metadata"] == {"by": "hand"}
    assert act(sandbox, "refund/delay", refund=made["id"])["status"] == "pending"
    assert act(sandbox, "refund/succeed", refund=made["id"])["status"] == "succeeded"
    failed = act(sandbox, "refund/fail", refund=made["id"])
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert charge_of(sandbox, payment).amount_refunded == 0
    told = [event["type"] for event in events(sandbox) if event["type"].startswith("refund.")]
    assert told == ["refund.created", "refund.updated", "refund.updated", "refund.updated", "refund.failed"]
    assert sandbox.control.http.post("/stripe/refund/fail", json={"refund": made["id"]}).status_code == 400


@pytest.mark.parametrize(("won", "status"), [(True, "won"), (False, "lost")])
def test_a_dispute_blocks_refunds_and_is_decided_once(
    sandbox: RunningSandbox, payment: str, won: bool, status: str
) -> None:
    made = act(sandbox, "dispute", payment_intent=payment)
    assert (made["status"], made["amount"], made["payment_intent"]) == ("needs_response", 12_000, payment)
    assert charge_of(sandbox, payment).disputed
    assert error_of(by_hand(sandbox, "refunds", {"payment_intent": payment}))["code"] == "charge_disputed"
    (listed,) = by_sdk(sandbox, lambda v1: v1.disputes.list_async({"payment_intent": payment})).data
    assert listed.id == made["id"]
    assert by_sdk(sandbox, lambda v1: v1.disputes.list_async({"payment_intent": "pi_other"})).data == []
    assert act(sandbox, "dispute/close", dispute=made["id"], won=won)["status"] == status
    assert by_sdk(sandbox, lambda v1: v1.disputes.retrieve_async(made["id"])).status == status
    told = [event["type"] for event in events(sandbox) if "dispute" in event["type"]]
    assert told == ["charge.dispute.created", "charge.dispute.closed"]
    for path, wish in (
        ("dispute", {"payment_intent": payment}),
        ("dispute/close", {"dispute": made["id"], "won": won}),
    ):
        assert sandbox.control.http.post(f"/stripe/{path}", json=wish).status_code == 400
