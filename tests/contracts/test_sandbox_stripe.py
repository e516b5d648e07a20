"""What the sandbox takes, answers and delivers in Stripe's place, against Stripe's own description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from sandbox.stripe.contract import Many, Members
from sandbox.stripe.operations import OPERATIONS, Operation
from tests.contracts.specs import answers_valid, needs_specs, requests_valid, sample, validator
from tests.sandbox.stripe_client import SESSION, act, by_hand, by_sdk, events, flat, found, opened, paid
from tests.support.sandbox import RunningSandbox

pytestmark = needs_specs

FORM = "application/x-www-form-urlencoded"
EVERYTHING = {
    "allow_promotion_codes": True,
    "client_reference_id": "7",
    "locale": "en",
    "metadata": {"order_id": "7"},
    "payment_intent_data": {
        "description": "Pack",
        "metadata": {"order_id": "7"},
        "receipt_email": "a@example.test",
    },
    "submit_type": "book",
}
EXPANDED = (
    "payment_intent.latest_charge",
    "line_items",
    "total_details.breakdown",
    "discounts.promotion_code",
)


def use_everything(sandbox: RunningSandbox) -> None:
    """Each operation, with much and with little in it, and everything that may happen to a payment."""
    coupon = {"id": "SPRING", "amount_off": 300, "currency": "eur", "name": "Spring", "metadata": {"a": "b"}}
    by_sdk(sandbox, lambda v1: v1.coupons.create_async(coupon))
    promotion = {"promotion": {"type": "coupon", "coupon": "SPRING"}, "code": "SPRING", "max_redemptions": 9}
    smallest = {"first_time_transaction": True, "minimum_amount": 100, "minimum_amount_currency": "eur"}
    code = by_sdk(
        sandbox, lambda v1: v1.promotion_codes.create_async({**promotion, "restrictions": smallest})
    )
    by_sdk(sandbox, lambda v1: v1.promotion_codes.update_async(code.id, {"metadata": {"a": "b"}}))
    by_sdk(
        sandbox,
        lambda v1: v1.promotion_codes.list_async({"active": True, "expand": ["data.promotion.coupon"]}),
    )
    by_sdk(sandbox, lambda v1: v1.coupons.retrieve_async("SPRING", {"expand": ["applies_to"]}))
    first = opened(sandbox, **EVERYTHING)
    act(sandbox, "decline", session_id=first.id)
    found(sandbox, first.id, *EXPANDED)
    act(sandbox, "pay", session_id=first.id, promotion_code="SPRING")
    found(sandbox, first.id, *EXPANDED)
    bank = [opened(sandbox, discounts=[{"coupon": "SPRING"}]).id for _ in range(2)]
    for id_, succeed in zip(bank, (True, False), strict=True):
        act(sandbox, "pay", session_id=id_, **{"async": True})
        found(sandbox, id_, *EXPANDED)
        act(sandbox, "settle", session_id=id_, succeed=succeed)
        found(sandbox, id_, *EXPANDED)
    free = paid(sandbox, discounts=[{"coupon": "FREE"}])
    by_sdk(sandbox, lambda v1: v1.checkout.sessions.line_items.list_async(free["id"]))
    last = opened(sandbox).id
    by_sdk(sandbox, lambda v1: v1.checkout.sessions.expire_async(last))
    by_sdk(sandbox, lambda v1: v1.checkout.sessions.list_async({"limit": 3, "status": "complete"}))
    refund_and_dispute(sandbox)


def refund_and_dispute(sandbox: RunningSandbox) -> None:
    """What may happen to money that came."""
    payment = paid(sandbox)["payment_intent"]
    params = {
        "payment_intent": payment,
        "amount": 100,
        "metadata": {"a": "b"},
        "reason": "requested_by_customer",
    }
    refund = by_sdk(
        sandbox, lambda v1: v1.refunds.create_async({**params, "expand": ["charge", "payment_intent"]})
    )
    act(sandbox, "refund/delay", refund=refund.id)
    by_sdk(sandbox, lambda v1: v1.refunds.retrieve_async(refund.id))
    act(sandbox, "refund/fail", refund=refund.id)
    by_sdk(sandbox, lambda v1: v1.refunds.list_async({"payment_intent": payment}))
    dispute = act(sandbox, "dispute", payment_intent=payment)
    by_sdk(sandbox, lambda v1: v1.charges.retrieve_async(dispute["charge"], {"expand": ["refunds"]}))
    act(sandbox, "dispute/close", dispute=dispute["id"], won=False)
    by_sdk(sandbox, lambda v1: v1.disputes.retrieve_async(dispute["id"], {"expand": ["charge"]}))
    by_sdk(sandbox, lambda v1: v1.payment_intents.retrieve_async(payment, {"expand": ["latest_charge"]}))
    told = by_sdk(sandbox, lambda v1: v1.events.list_async({"type": "refund.failed"})).data[0]
    by_sdk(sandbox, lambda v1: v1.events.retrieve_async(told.id))


def test_every_answer_and_the_sdks_requests_meet_the_contract(sandbox: RunningSandbox) -> None:
    use_everything(sandbox)
    recorded = sandbox.control.requests("stripe")
    answers, requests = answers_valid(recorded), requests_valid(recorded)
    assert answers.problems == []
    assert requests.problems == []
    assert answers.checked == requests.checked == 28


def test_every_event_meets_the_contract(sandbox: RunningSandbox) -> None:
    use_everything(sandbox)
    told = events(sandbox)
    assert {event["type"] for event in told} == {
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.refunded",
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "checkout.session.expired",
        "payment_intent.succeeded",
        "refund.created",
        "refund.failed",
        "refund.updated",
    }
    for event in told:
        assert validator().event("stripe", event, strict=True) == [], event["type"]
    assert told[0].keys() == sample("stripe-fixtures.json")["event"].keys()


def test_the_check_finds_what_is_wrong(sandbox: RunningSandbox) -> None:
    opened(sandbox)
    (item,) = sandbox.control.requests("stripe")
    assert requests_valid([item | {"body": item["body"] | {"colour": "blue"}}]).problems
    assert answers_valid([item | {"answer": item["answer"] | {"status": "ajar"}}]).problems


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "blue"},
        {"mode": "gift"},
        {"line_items[0][amount]": "5"},
        {"line_items[0][price_data][unit_amount]": "much"},
        {"discounts[0][code]": "WELCOME10"},
        {"payment_method_types[0]": "card"},
        {"allow_promotion_codes": "yes"},
        {"expires_at": "soon"},
        {"payment_intent_data[colour]": "blue"},
    ],
)
def test_the_sandbox_refuses_what_the_contract_does_not_name(
    sandbox: RunningSandbox, wrong: dict[str, str]
) -> None:
    assert by_hand(sandbox, "checkout/sessions", {**flat(SESSION), **wrong}).status_code == 400
    (item,) = sandbox.control.requests("stripe")
    assert requests_valid([item]).problems


def test_errors_meet_the_contract(sandbox: RunningSandbox) -> None:
    by_hand(sandbox, "checkout/sessions", {"colour": "blue"})
    by_hand(sandbox, "checkout/sessions/cs_unknown", method="GET")
    by_hand(sandbox, "balance", method="GET", Authorization="")
    sandbox.control.chaos("stripe", error_rate=1, status=500)
    by_hand(sandbox, "checkout/sessions", flat(SESSION))
    for item in sandbox.control.requests("stripe")[:2]:
        told = validator().response(
            "stripe", item["method"], item["path"], item["status"], item["answer"], strict=True
        )
        assert told == []
    for item in sandbox.control.requests("stripe"):
        assert item["answer"].keys() == {"error"}


def described(operation: Operation) -> dict[str, Any]:
    """What the contract says an operation takes; empty if the published subset leaves it out."""
    path = "/v1/" + operation.path.replace("{id}", "x")
    hit = validator().find("stripe", operation.method, path)
    if hit is None:
        return {}
    _, described, _ = hit
    if operation.method == "GET":
        return {"properties": {p["name"]: p["schema"] for p in described["parameters"] if p["in"] == "query"}}
    schema: dict[str, Any] = described["requestBody"]["content"][FORM]["schema"]
    return schema


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The object that a schema means, behind references, lists and choices."""
    schemas = validator().load("stripe")["components"]["schemas"]
    if "$ref" in schema:
        return resolved(schemas[schema["$ref"].rpartition("/")[2]])
    if "items" in schema:
        return resolved(schema["items"])
    for choice in schema.get("anyOf", ()):
        if resolved(choice).get("properties"):
            return resolved(choice)
    return schema


def strangers(shape: Members, schema: dict[str, Any], where: str) -> Iterator[str]:
    """The names that the sandbox takes and the contract does not know."""
    known = resolved(schema).get("properties", {})
    for name, rule in shape.rules.items():
        if name not in known:
            yield f"{where}{name}"
            continue
        inner = rule.rule if isinstance(rule, Many) else rule
        if isinstance(inner, Members):
            yield from strangers(inner, known[name], f"{where}{name}.")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_the_sandbox_takes_no_name_that_stripe_does_not_know(operation: Operation) -> None:
    schema = described(operation)
    if schema:
        assert list(strangers(operation.shape, schema, "")) == []
        return
    typed = {
        ("POST", "products"): stripe.params.ProductCreateParams,
        ("POST", "products/{id}"): stripe.params.ProductUpdateParams,
        ("POST", "prices"): stripe.params.PriceCreateParams,
        ("POST", "prices/{id}"): stripe.params.PriceUpdateParams,
        ("GET", "disputes"): stripe.params.DisputeListParams,
    }
    taken = typed.get((operation.method, operation.path))
    assert set(operation.shape.rules) <= set(taken.__annotations__ if taken else ())
