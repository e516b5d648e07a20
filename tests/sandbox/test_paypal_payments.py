"""PayPal's captures, refunds, reversals, disputes and catalogue, and the control calls that act on them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.paypal_client import Merchant, capture_of, euros, issue_of
from tests.support.sandbox import RunningSandbox


@pytest.fixture
def merchant(sandbox: RunningSandbox) -> Merchant:
    """A merchant with an access token."""
    return Merchant(sandbox)


def refunds_of(merchant: Merchant, order_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = merchant.get(order_id)["purchase_units"][0]["payments"].get("refunds", [])
    return found


def test_parts_of_a_capture_go_back_until_nothing_is_left(merchant: Merchant) -> None:
    done = merchant.paid()
    capture = capture_of(done)["id"]
    first = merchant.refund(capture, {"amount": euros("20.00"), "custom_id": "r-1", "invoice_id": "r-1"})
    assert first.status_code == 201
    assert (first.json()["status"], first.json()["amount"]) == ("COMPLETED", euros("20.00"))
    assert capture_of(merchant.get(done["id"]))["status"] == "PARTIALLY_REFUNDED"
    more = merchant.refund(capture, {"amount": euros("70.01")})
    assert issue_of(more, 422) == ("REFUND_AMOUNT_EXCEEDED", "/amount/value")
    rest = merchant.refund(capture, {})
    assert rest.json()["amount"] == euros("70.00")
    assert rest.json()["custom_id"] == "order-7", "without an own one it shows its order's"
    assert capture_of(merchant.get(done["id"]))["status"] == "REFUNDED"
    assert issue_of(merchant.refund(capture, {}), 422)[0] == "CAPTURE_FULLY_REFUNDED"
    assert refunds_of(merchant, done["id"]) == [first.json(), rest.json()]
    assert merchant.send("GET", f"/v2/payments/refunds/{rest.json()['id']}").json() == rest.json()
    assert merchant.told()[2:] == ["PAYMENT.CAPTURE.REFUNDED"] * 2


@pytest.mark.parametrize(
    ("body", "status", "issue"),
    [
        ({"amount": {"currency_code": "USD", "value": "1.00"}}, 422, "REFUND_CAPTURE_CURRENCY_MISMATCH"),
        ({"amount": euros("0")}, 422, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ({"amount": euros("0.005")}, 422, "DECIMAL_PRECISION"),
        ({"amount": {"value": "1"}}, 400, "MISSING_REQUIRED_PARAMETER"),
        ({"reason": "x"}, 400, "NOT_SUPPORTED"),
        ({"custom_id": ""}, 400, "INVALID_STRING_LENGTH"),
    ],
)
def test_refunds_that_cannot_be(merchant: Merchant, body: dict[str, Any], status: int, issue: str) -> None:
    capture = capture_of(merchant.paid())["id"]
    assert issue_of(merchant.refund(capture, body), status)[0] == issue
    assert merchant.sandbox.control.call("GET", "/paypal/refunds")["items"] == []


def test_nothing_goes_back_of_what_has_not_come(merchant: Merchant) -> None:
    capture = capture_of(merchant.paid("pending"))["id"]
    assert issue_of(merchant.refund(capture, {}), 422)[0] == "PENDING_CAPTURE"
    merchant.act("settle", capture_id=capture, succeed=False)
    assert issue_of(merchant.refund(capture, {}), 422)[0] == "REFUND_NOT_ALLOWED"


def test_a_refund_is_made_once_for_its_request_id_and_once_for_its_invoice(merchant: Merchant) -> None:
    done = merchant.paid()
    capture = capture_of(done)["id"]
    body = {"amount": euros("20.00"), "invoice_id": "r-1"}
    first, again = (merchant.refund(capture, body, key="r-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    merchant.act("keys/expire")
    assert issue_of(merchant.refund(capture, body, key="r-1"), 422)[0] == "DUPLICATE_INVOICE_ID"
    assert len(refunds_of(merchant, done["id"])) == 1


def test_the_dashboard_refunds_and_reverses(merchant: Merchant) -> None:
    done = merchant.paid()
    capture = capture_of(done)["id"]
    merchant.act("refund", capture_id=capture, amount="12.5")
    merchant.act("reverse", capture_id=capture)
    assert [refund["amount"]["value"] for refund in refunds_of(merchant, done["id"])] == ["12.50", "77.50"]
    kept = merchant.sandbox.control.call("GET", "/paypal/refunds")["items"]
    assert [refund["by"] for refund in kept] == ["dashboard", "reversal"]
    assert merchant.told()[2:] == ["PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"]


@pytest.mark.parametrize(
    ("won", "outcome"), [(True, "RESOLVED_SELLER_FAVOUR"), (False, "RESOLVED_BUYER_FAVOUR")]
)
def test_a_dispute_is_opened_reviewed_and_decided(merchant: Merchant, won: bool, outcome: str) -> None:
    capture = capture_of(merchant.paid())["id"]
    opened = merchant.act("dispute", capture_id=capture)
    path = f"/v1/customer/disputes/{opened['dispute_id']}"
    assert merchant.send("GET", path).json() == opened
    assert opened["disputed_transactions"][0]["seller_transaction_id"] == capture
    merchant.act("dispute/update", dispute_id=opened["dispute_id"])
    assert merchant.send("GET", path).json()["status"] == "UNDER_REVIEW"
    merchant.act("dispute/close", dispute_id=opened["dispute_id"], won=won)
    decided = merchant.send("GET", path).json()
    assert (decided["status"], decided["dispute_outcome"]["outcome_code"]) == ("RESOLVED", outcome)
    assert merchant.told()[2:] == [f"CUSTOMER.DISPUTE.{word}" for word in ("CREATED", "UPDATED", "RESOLVED")]
    wish = {"dispute_id": opened["dispute_id"], "won": won}
    assert merchant.sandbox.control.http.post("/paypal/dispute/close", json=wish).status_code == 409


def test_the_catalogue_takes_products(merchant: Merchant) -> None:
    path = "/v1/catalogs/products"
    body = {"name": "Four sessions", "type": "SERVICE"}
    first, again = (merchant.send("POST", path, body, key="p-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["name"] == "Four sessions"
    wrong = merchant.send("POST", path, {"name": "x", "type": "IDEA"})
    assert issue_of(wrong, 400) == ("INVALID_PARAMETER_VALUE", "/type")


@pytest.mark.parametrize(
    ("path", "wish", "status"),
    [
        ("approve", {"order_id": "NOTHING"}, 404),
        ("approve", {}, 400),
        ("approve", {"order_id": "X", "outcome": "maybe"}, 400),
        ("decline", {"order_id": "NOTHING"}, 404),
        ("settle", {"capture_id": "NOTHING", "succeed": True}, 404),
        ("refund", {"capture_id": "NOTHING"}, 404),
        ("dispute", {"capture_id": "NOTHING"}, 404),
        ("dispute/close", {"dispute_id": "NOTHING", "won": True}, 404),
        ("redeliver", {"event_id": "NOTHING"}, 404),
        ("redeliver", {"times": 0}, 400),
        ("redeliver", {"colour": "blue"}, 400),
    ],
)
def test_control_calls_say_what_is_wrong(
    merchant: Merchant, path: str, wish: dict[str, Any], status: int
) -> None:
    answer = merchant.sandbox.control.http.post(f"/paypal/{path}", json=wish)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_control_calls_refuse_what_is_over(merchant: Merchant) -> None:
    done = merchant.paid()
    capture = capture_of(done)["id"]
    http = merchant.sandbox.control.http
    assert http.post("/paypal/approve", json={"order_id": done["id"]}).status_code == 409
    assert http.post("/paypal/settle", json={"capture_id": capture, "succeed": True}).status_code == 409
    assert http.post("/paypal/refund", json={"capture_id": capture, "amount": "90.01"}).status_code == 422
    assert http.post("/paypal/refund", json={"capture_id": capture, "amount": "all"}).status_code == 400


def test_reset_forgets_everything_but_the_authority(merchant: Merchant) -> None:
    authority = merchant.sandbox.settings.paypal_authority_file.read_text()
    done = merchant.paid()
    merchant.refund(capture_of(done)["id"], {})
    merchant.sandbox.control.reset()
    for what in ("orders", "captures", "refunds", "events"):
        assert merchant.sandbox.control.call("GET", f"/paypal/{what}")["items"] == []
    assert Merchant(merchant.sandbox).send("GET", f"/v2/checkout/orders/{done['id']}").status_code == 404
    assert merchant.sandbox.settings.paypal_authority_file.read_text() == authority
