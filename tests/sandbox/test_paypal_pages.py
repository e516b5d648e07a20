"""PayPal's page for the buyer, by plain forms."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.paypal_client import CANCEL, Merchant, capture_of, order, unit
from tests.sandbox.test_pages import Outline
from tests.support.sandbox import RunningSandbox


@pytest.fixture
def merchant(sandbox: RunningSandbox) -> Merchant:
    """A merchant with an access token."""
    return Merchant(sandbox)


def page(merchant: Merchant, order_id: str) -> httpx.Response:
    return merchant.sandbox.http.get(f"/paypal/approve/{order_id}")


def decide(merchant: Merchant, order_id: str, decision: str) -> httpx.Response:
    return merchant.sandbox.http.post(f"/paypal/approve/{order_id}", data={"decision": decision})


def buttons(text: str) -> list[str]:
    """The names of a page's buttons."""
    parts = text.split("<button")[1:]
    return [part.split(">", 1)[1].split("</button>")[0] for part in parts]


def test_the_page_shows_what_is_paid_and_four_ways_on(merchant: Merchant) -> None:
    made = merchant.create()
    shown = page(merchant, made["id"])
    for text in ("Four sessions", "100.00 EUR", "−10.00 EUR", "90.00 EUR", "Mentorships"):
        assert text in shown.text
    names = buttons(shown.text)
    assert names == [
        "Approve",
        "Go back",
        "Approve, payment will be declined",
        "Approve, payment stays pending",
    ]
    outline = Outline(shown.text)
    assert [outline.count(tag) for tag in ("main", "h1", "title", "form")] == [1] * 4
    assert outline.unlabelled == []
    assert outline.count("script") == outline.count("style") == 0
    assert merchant.get(made["id"]) == made, "looking changes nothing"


@pytest.mark.parametrize(
    ("decision", "status"), [("approve", "COMPLETED"), ("pending", "PENDING"), ("declined", "")]
)
def test_a_decision_leads_back_and_decides_the_capture(
    merchant: Merchant, decision: str, status: str
) -> None:
    made = merchant.create()
    answer = decide(merchant, made["id"], decision)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("http://127.0.0.1:8000/checkout/return?order=7&token=")
    captured = merchant.capture(made["id"])
    if status:
        assert capture_of(captured.json())["status"] == status
    else:
        assert captured.status_code == 422


def test_going_back_leaves_the_order_open(merchant: Merchant) -> None:
    made = merchant.create()
    answer = decide(merchant, made["id"], "back")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CANCEL}?token={made['id']}")
    assert merchant.get(made["id"]) == made


@pytest.mark.parametrize(
    ("outcome", "says"),
    [("completed", "is paid"), ("pending", "waiting for the bank"), ("", "approved already")],
)
def test_a_decided_order_cannot_be_decided_again(merchant: Merchant, outcome: str, says: str) -> None:
    if outcome:
        order_id = merchant.paid(outcome)["id"]
    else:
        order_id = merchant.create()["id"]
        decide(merchant, order_id, "approve")
    assert says in page(merchant, order_id).text
    assert buttons(page(merchant, order_id).text) == []
    assert decide(merchant, order_id, "approve").status_code == 422


def test_a_declined_buyer_chooses_again(merchant: Merchant) -> None:
    made = merchant.create()
    decide(merchant, made["id"], "declined")
    assert "declined. Choose again" in page(merchant, made["id"]).text
    assert decide(merchant, made["id"], "approve").status_code == 303
    assert merchant.capture(made["id"]).status_code == 201


def test_odd_addresses_and_decisions_get_an_answer(merchant: Merchant) -> None:
    made = merchant.create()
    assert decide(merchant, made["id"], "maybe").status_code == 422
    assert page(merchant, "NOTHING").status_code == 404
    assert decide(merchant, "NOTHING", "approve").status_code == 404
    merchant.act("expire", order_id=made["id"])
    assert "No such order" in page(merchant, made["id"]).text


def test_an_order_without_addresses_comes_back_to_its_own_page(merchant: Merchant) -> None:
    body: dict[str, Any] = order(
        payment_source=None, purchase_units=[{"amount": {"currency_code": "JPY", "value": "1500"}}]
    )
    made = merchant.send("POST", "/v2/checkout/orders", body).json()
    shown = page(merchant, made["id"])
    assert "1500 JPY" in shown.text
    location = decide(merchant, made["id"], "approve").headers["location"]
    assert location == f"{merchant.sandbox.url}/paypal/approve/{made['id']}"


def test_names_from_outside_are_shown_as_text(merchant: Merchant) -> None:
    items = [{**unit()["items"][0], "name": "<b>Four</b>"}]
    made = merchant.create(purchase_units=[unit(items=items)])
    assert "&lt;b&gt;Four" in page(merchant, made["id"]).text


def test_the_front_page_links_the_newest_orders(merchant: Merchant) -> None:
    gone, made = merchant.create(), merchant.create()
    merchant.act("expire", order_id=gone["id"])
    front = merchant.sandbox.http.get("/").text
    assert f'href="/paypal/approve/{made["id"]}"' in front
    assert gone["id"] not in front
    assert merchant.sandbox.control.requests("paypal")[-1]["path"] == "/v2/checkout/orders", (
        "pages aren't recorded"
    )
