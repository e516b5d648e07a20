"""PayPal's orders: what is accepted and refused, how they are approved and captured."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.paypal.models import Order
from sandbox.state import Store
from tests.sandbox.paypal_client import CANCEL, Merchant, capture_of, euros, issue_of, order, unit
from tests.support.sandbox import RunningSandbox, running_sandbox


@pytest.fixture
def merchant(sandbox: RunningSandbox) -> Merchant:
    """A merchant with an access token."""
    return Merchant(sandbox)


def created(merchant: Merchant, *path: Any, value: Any = None, without: bool = False) -> Any:
    """The answer to an order in which one member, found by its path, is another or missing."""
    body: Any = order()
    place = body
    for step in path[:-1]:
        place = place[step]
    if without:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return merchant.send("POST", "/v2/checkout/orders", body)


UNIT = ("purchase_units", 0)
CONTEXT = ("payment_source", "paypal", "experience_context")


def test_an_order_waits_for_its_buyer(merchant: Merchant) -> None:
    made = merchant.create()
    assert (made["status"], made["intent"]) == ("PAYER_ACTION_REQUIRED", "CAPTURE")
    assert made["purchase_units"][0]["custom_id"] == "order-7"
    assert made["purchase_units"][0]["amount"] == unit()["amount"]
    links = {link["rel"]: link["href"] for link in made["links"]}
    assert links["payer-action"] == f"{merchant.sandbox.url}/paypal/approve/{made['id']}"
    assert merchant.get(made["id"]) == made
    assert merchant.told() == []


def test_an_application_context_gives_other_names(merchant: Merchant) -> None:
    context = {"return_url": "http://127.0.0.1:8000/", "cancel_url": CANCEL, "user_action": "PAY_NOW"}
    made = merchant.create(payment_source=None, application_context=context)
    assert made["status"] == "CREATED"
    assert "approve" in {link["rel"] for link in made["links"]}
    both = merchant.send("POST", "/v2/checkout/orders", order(application_context=context))
    assert issue_of(both, 400) == ("NOT_SUPPORTED", "/application_context")


def test_without_prefer_only_the_essence_is_answered(merchant: Merchant) -> None:
    made = merchant.send("POST", "/v2/checkout/orders", order(), whole=False)
    assert made.status_code == 201
    assert made.json().keys() == {"id", "status", "links", "payment_source"}


@pytest.mark.parametrize(
    ("path", "value", "issue"),
    [
        (("intent",), "AUTHORIZE", "INVALID_PARAMETER_VALUE"),
        (("purchase_units",), [], "INVALID_ARRAY_MIN_ITEMS"),
        (("purchase_units",), [unit(), unit()], "INVALID_ARRAY_MAX_ITEMS"),
        (("purchase_units",), {}, "INVALID_PARAMETER_SYNTAX"),
        (("colour",), "blue", "NOT_SUPPORTED"),
        ((*UNIT, "shipping"), {}, "NOT_SUPPORTED"),
        ((*UNIT, "custom_id"), "", "INVALID_STRING_LENGTH"),
        ((*UNIT, "custom_id"), "x" * 128, "INVALID_STRING_LENGTH"),
        ((*UNIT, "custom_id"), 7, "INVALID_PARAMETER_SYNTAX"),
        ((*UNIT, "items", 0, "quantity"), "0", "INVALID_PARAMETER_SYNTAX"),
        ((*UNIT, "items", 0, "quantity"), 1, "INVALID_PARAMETER_SYNTAX"),
        ((*UNIT, "items", 0, "category"), "SERVICES", "INVALID_PARAMETER_VALUE"),
        ((*UNIT, "amount", "value"), "ninety", "INVALID_PARAMETER_SYNTAX"),
        ((*UNIT, "amount", "value"), 90, "INVALID_PARAMETER_SYNTAX"),
        ((*UNIT, "amount", "currency_code"), "EURO", "INVALID_STRING_LENGTH"),
        ((*CONTEXT, "return_url"), "/checkout/return", "INVALID_PARAMETER_SYNTAX"),
        ((*CONTEXT, "user_action"), "PAY", "INVALID_PARAMETER_VALUE"),
        ((*CONTEXT, "payment_method"), {}, "NOT_SUPPORTED"),
    ],
)
def test_what_violates_the_contract_is_400(
    merchant: Merchant, path: tuple[Any, ...], value: Any, issue: str
) -> None:
    answer = created(merchant, *path, value=value)
    assert answer.json()["name"] == "INVALID_REQUEST"
    assert issue_of(answer, 400) == (issue, "/" + "/".join(str(step) for step in path))


@pytest.mark.parametrize(
    "path",
    [
        ("intent",),
        ("purchase_units",),
        (*UNIT, "amount"),
        (*UNIT, "amount", "value"),
        (*UNIT, "items", 0, "name"),
    ],
)
def test_what_is_missing_is_400(merchant: Merchant, path: tuple[Any, ...]) -> None:
    issue, field = issue_of(created(merchant, *path, without=True), 400)
    assert (issue, field) == ("MISSING_REQUIRED_PARAMETER", "/" + "/".join(str(step) for step in path))


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b"\xff"])
def test_what_is_no_object_is_400(merchant: Merchant, raw: bytes) -> None:
    answer = merchant.send("POST", "/v2/checkout/orders", raw)
    assert issue_of(answer, 400)[0] in ("MALFORMED_REQUEST_JSON", "INVALID_PARAMETER_SYNTAX")


@pytest.mark.parametrize(
    ("changed", "issue"),
    [
        ({"amount": {**euros("91.00"), "breakdown": unit()["amount"]["breakdown"]}}, "AMOUNT_MISMATCH"),
        ({"amount": {**euros("90.00"), "breakdown": {"discount": euros("10.00")}}}, "ITEM_TOTAL_REQUIRED"),
        ({"amount": euros("90.00")}, "ITEM_TOTAL_REQUIRED"),
        (
            {"items": [{"name": "Two", "quantity": "2", "unit_amount": euros("100.00")}]},
            "ITEM_TOTAL_MISMATCH",
        ),
        ({"amount": euros("0.00"), "items": None}, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ({"amount": euros("-1.00"), "items": None}, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ({"amount": euros("1.005"), "items": None}, "DECIMAL_PRECISION"),
        ({"amount": {"currency_code": "JPY", "value": "1.5"}, "items": None}, "DECIMALS_NOT_SUPPORTED"),
        ({"amount": {"currency_code": "HUF", "value": "1.00"}, "items": None}, "DECIMALS_NOT_SUPPORTED"),
        ({"amount": {"currency_code": "XYZ", "value": "1"}, "items": None}, "INVALID_CURRENCY_CODE"),
        ({"amount": euros("10000000.00"), "items": None}, "MAX_VALUE_EXCEEDED"),
        (
            {
                "items": [
                    {"name": "x", "quantity": "1", "unit_amount": {"currency_code": "USD", "value": "100"}}
                ]
            },
            "MULTI_CURRENCY_ORDER",
        ),
        (
            {
                "items": None,
                "amount": {
                    **euros("11.00"),
                    "breakdown": {"item_total": euros("10.00"), "discount": euros("-1.00")},
                },
            },
            "CANNOT_BE_NEGATIVE",
        ),
    ],
)
def test_amounts_that_cannot_be_are_422(merchant: Merchant, changed: dict[str, Any], issue: str) -> None:
    answer = merchant.send("POST", "/v2/checkout/orders", order(purchase_units=[unit(**changed)]))
    assert answer.json()["name"] == "UNPROCESSABLE_ENTITY"
    assert issue_of(answer, 422)[0] == issue


@pytest.mark.parametrize("value", ["1500", "1500.", "15e2", ".5"])
def test_a_currency_without_decimals_takes_whole_amounts(merchant: Merchant, value: str) -> None:
    amount = {"currency_code": "JPY", "value": value}
    answer = merchant.send(
        "POST", "/v2/checkout/orders", order(purchase_units=[{"amount": amount, "custom_id": "7"}])
    )
    assert (answer.status_code == 201) is (value == "1500")


def test_approval_sends_the_buyer_back_and_tells_once(merchant: Merchant) -> None:
    made = merchant.create()
    location = urlsplit(merchant.act("approve", order_id=made["id"])["location"])
    query = parse_qs(location.query)
    assert location.path == "/checkout/return"
    assert (query["order"], query["token"], len(query["PayerID"])) == (["7"], [made["id"]], 1)
    approved = merchant.get(made["id"])
    assert approved["status"] == "APPROVED"
    assert approved["payment_source"]["paypal"]["email_address"] == "buyer@example.test"
    assert merchant.told() == ["CHECKOUT.ORDER.APPROVED"]


def test_walking_away_changes_nothing(merchant: Merchant) -> None:
    made = merchant.create()
    assert merchant.act("decline", order_id=made["id"])["location"] == f"{CANCEL}?token={made['id']}"
    assert merchant.get(made["id"]) == made
    assert merchant.told() == []


def test_an_approved_order_is_captured_once(merchant: Merchant) -> None:
    made = merchant.create()
    assert issue_of(merchant.capture(made["id"]), 422)[0] == "ORDER_NOT_APPROVED"
    merchant.act("approve", order_id=made["id"])
    done = merchant.capture(made["id"])
    assert done.status_code == 201
    capture = capture_of(done.json())
    assert (done.json()["status"], capture["status"], capture["amount"]) == (
        "COMPLETED",
        "COMPLETED",
        euros("90.00"),
    )
    assert capture["custom_id"] == "order-7"
    assert issue_of(merchant.capture(made["id"]), 422)[0] == "ORDER_ALREADY_CAPTURED"
    alone = merchant.send("GET", f"/v2/payments/captures/{capture['id']}").json()
    assert alone["supplementary_data"]["related_ids"]["order_id"] == made["id"]
    assert merchant.told() == ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"]


def test_a_declined_instrument_may_be_changed(merchant: Merchant) -> None:
    made = merchant.create()
    merchant.act("approve", order_id=made["id"], outcome="declined")
    answer = merchant.capture(made["id"], key="k")
    assert issue_of(answer, 422)[0] == "INSTRUMENT_DECLINED"
    assert merchant.get(made["id"])["status"] == "APPROVED"
    merchant.act("approve", order_id=made["id"])
    assert merchant.capture(made["id"], key="k").status_code == 201, "a refusal isn't kept for the key"
    assert merchant.told() == ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"]


@pytest.mark.parametrize(
    ("succeed", "status", "event"), [(True, "COMPLETED", "COMPLETED"), (False, "DECLINED", "DENIED")]
)
def test_a_pending_capture_is_settled(merchant: Merchant, succeed: bool, status: str, event: str) -> None:
    done = merchant.paid("pending")
    capture = capture_of(done)
    assert (capture["status"], capture["status_details"]) == ("PENDING", {"reason": "ECHECK"})
    assert done["status"] == "COMPLETED"
    merchant.act("settle", capture_id=capture["id"], succeed=succeed)
    assert capture_of(merchant.get(done["id"]))["status"] == status
    assert merchant.told()[1:] == ["PAYMENT.CAPTURE.PENDING", f"PAYMENT.CAPTURE.{event}"]


def test_a_request_id_stands_for_what_was_done(merchant: Merchant) -> None:
    path = "/v2/checkout/orders"
    first = merchant.send("POST", path, order(), key="order-7")
    again = merchant.send("POST", path, order(), key="order-7")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = merchant.send("POST", path, order(purchase_units=[unit(custom_id="x")]), key="order-7")
    assert issue_of(other, 422)[0] == "DUPLICATE_REQUEST_ID"
    assert issue_of(merchant.send("POST", path, {}, key="bad"), 400)[0] == "MISSING_REQUIRED_PARAMETER"
    assert merchant.send("POST", path, order(), key="bad").status_code == 201
    merchant.act("approve", order_id=first.json()["id"])
    captured = [merchant.capture(first.json()["id"], key="order-7") for _ in range(2)]
    assert [answer.status_code for answer in captured] == [201, 200]
    assert captured[0].json() == captured[1].json()
    assert merchant.act("keys/expire")["expired"] == 3
    assert merchant.send("POST", path, order(), key="order-7").json()["id"] != first.json()["id"]
    assert issue_of(merchant.capture(first.json()["id"], key="order-7"), 422)[0] == "ORDER_ALREADY_CAPTURED"


def test_an_order_that_nobody_approved_is_gone(merchant: Merchant) -> None:
    made, kept = merchant.create(), merchant.create()
    merchant.act("approve", order_id=kept["id"])
    merchant.act("expire", order_id=made["id"])
    gone = merchant.send("GET", f"/v2/checkout/orders/{made['id']}")
    assert gone.json()["name"] == "RESOURCE_NOT_FOUND"
    assert issue_of(gone, 404) == ("INVALID_RESOURCE_ID", "order_id")
    assert issue_of(merchant.capture(made["id"]), 404)[0] == "INVALID_RESOURCE_ID"
    answer = merchant.sandbox.control.http.post("/paypal/expire", json={"order_id": kept["id"]})
    assert answer.status_code == 409


def test_three_hours_are_given_to_approve(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        Merchant(sandbox).create()
        store = Store(sandbox.settings.state_file)
        (kept,) = store.collection("paypal.orders", Order).values()
        store.close()
    assert abs(kept.expires - time.time() - 3 * 3600) < 10


def test_state_survives_a_restart(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        merchant = Merchant(sandbox)
        done, bearer = merchant.paid(), merchant.bearer
        authority = sandbox.settings.paypal_authority_file.read_text()
    with running_sandbox(tmp_path) as sandbox:
        again = Merchant(sandbox)
        again.bearer = bearer
        assert again.get(done["id"]) == done
        assert sandbox.settings.paypal_authority_file.read_text() == authority


@pytest.mark.parametrize("method", ["token", "bearer", "revoked"])
def test_only_the_client_is_admitted(merchant: Merchant, method: str) -> None:
    if method == "token":
        refused = merchant.token(secret="wrong")
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        assert merchant.token(grant="password").json()["error"] == "unsupported_grant_type"
        return
    if method == "bearer":
        merchant.act("tokens/expire")
    else:
        merchant.sandbox.control.chaos("paypal", revoke=True)
        assert merchant.token().status_code == 401
    answer = merchant.send("POST", "/v2/checkout/orders", order())
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    "path", ["/v2/checkout/orders/NOTHINGHERE", "/v2/payments/captures/NO", "/v2/payments/refunds/NO"]
)
def test_unknown_ids_are_404(merchant: Merchant, path: str) -> None:
    assert issue_of(merchant.send("GET", path), 404)[0] == "INVALID_RESOURCE_ID"
    assert issue_of(merchant.send("GET", f"{path}/nowhere/at/all"), 404)[0] == "INVALID_RESOURCE_ID"


@pytest.mark.parametrize(
    ("status", "name"),
    [(500, "INTERNAL_SERVER_ERROR"), (503, "SERVICE_UNAVAILABLE"), (429, "RATE_LIMIT_REACHED")],
)
def test_faults_have_paypals_shape(merchant: Merchant, status: int, name: str) -> None:
    merchant.sandbox.control.chaos("paypal", error_rate=1, status=status, after=True, count=1)
    answer = merchant.send("POST", "/v2/checkout/orders", order())
    assert (answer.status_code, answer.json()["name"]) == (status, name)
    assert {"message", "debug_id"} <= answer.json().keys()
    assert len(merchant.sandbox.control.call("GET", "/paypal/orders")["items"]) == 1, (
        "it was done all the same"
    )
