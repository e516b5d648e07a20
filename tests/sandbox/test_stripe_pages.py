"""Stripe's hosted checkout for people: plain forms, no script."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.stripe_client import URLS, act, found, opened
from tests.sandbox.test_pages import Outline
from tests.support.sandbox import RunningSandbox


def press(sandbox: RunningSandbox, session_id: str, do: str, **more: str) -> httpx.Response:
    """Press a button of the page."""
    return sandbox.http.post(f"/stripe/pay/{session_id}", data={"do": do, **more})


def buttons(page: str) -> list[str]:
    """What the page's buttons say."""
    return [part.split("</button>")[0].split(">")[-1] for part in page.split("<button")[1:]]


def test_the_page_shows_what_is_bought_and_the_ways_to_pay(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    page = sandbox.http.get(session.url).text
    for words in ("Four sessions", "120.00 EUR", "student-new@example.test"):
        assert words in page
    assert buttons(page) == [
        "Pay 120.00 EUR",
        "Use a bank transfer that takes days",
        "Use a card that is declined",
        "Go back",
    ]
    assert "Promotion code" not in page


@pytest.mark.parametrize("state", ["open", "codes", "free", "complete", "expired", "missing", "list"])
def test_every_page_has_landmarks_labels_and_no_script(sandbox: RunningSandbox, state: str) -> None:
    more: dict[str, Any] = {
        "codes": {"allow_promotion_codes": True},
        "free": {"discounts": [{"coupon": "FREE"}]},
    }
    session = opened(sandbox, **more.get(state, {}))
    if state in ("complete", "expired"):
        act(sandbox, "pay" if state == "complete" else "expire", session_id=session.id)
    path = {"missing": "/stripe/pay/cs_unknown", "list": "/stripe/checkouts"}.get(
        state, f"/stripe/pay/{session.id}"
    )
    answer = sandbox.http.get(path)
    outline = Outline(answer.text)
    assert answer.status_code == (404 if state == "missing" else 200)
    assert ("html", {"lang": "en"}) in outline.tags
    assert [outline.count(tag) for tag in ("main", "h1", "title", "header", "footer")] == [1] * 5
    assert outline.unlabelled == []
    assert outline.count("script") == outline.count("style") == 0
    said = buttons(answer.text)
    assert len(said) == len(set(said))
    assert len([text for text in said if text.startswith("Pay")]) == (
        1 if state in ("open", "codes", "free") else 0
    )
    assert sandbox.control.requests("stripe")[-1]["path"] == "/v1/checkout/sessions", "pages are not recorded"


def test_paying_leads_back_with_the_sessions_id(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    answer = press(sandbox, session.id, "pay")
    assert answer.status_code == 303
    assert answer.headers["location"] == URLS["success_url"].replace("{CHECKOUT_SESSION_ID}", session.id)
    assert found(sandbox, session.id).payment_status == "paid"
    page = sandbox.http.get(f"/stripe/pay/{session.id}").text
    assert "This checkout is complete" in page
    assert buttons(page) == []
    again = press(sandbox, session.id, "pay")
    assert again.status_code == 422
    assert "complete" in again.text


def test_a_declined_card_is_said_and_another_try_is_good(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    declined = press(sandbox, session.id, "decline")
    assert declined.status_code == 422
    assert "Your card was declined." in declined.text
    assert "Pay 120.00 EUR" in buttons(declined.text)
    assert press(sandbox, session.id, "pay").status_code == 303


def test_a_bank_transfer_leads_back_unpaid(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    assert press(sandbox, session.id, "later").status_code == 303
    assert found(sandbox, session.id).payment_status == "unpaid"
    assert "under way" in sandbox.http.get(f"/stripe/pay/{session.id}").text


def test_going_back_leaves_the_checkout_open(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    answer = press(sandbox, session.id, "back")
    assert (answer.status_code, answer.headers["location"]) == (303, URLS["cancel_url"])
    assert found(sandbox, session.id).status == "open"


def test_a_code_changes_the_totals_and_can_be_taken_off(sandbox: RunningSandbox) -> None:
    session = opened(sandbox, allow_promotion_codes=True)
    assert press(sandbox, session.id, "code", code=" welcome10 ").status_code == 303
    page = sandbox.http.get(f"/stripe/pay/{session.id}").text
    for words in ("Discount WELCOME10", "−12.00 EUR", "120.00 EUR", "Pay 108.00 EUR"):
        assert words in page
    wrong = press(sandbox, session.id, "code", code="NOPE")
    assert wrong.status_code == 422
    assert "This code is invalid." in wrong.text
    assert "Pay 108.00 EUR" in wrong.text, "what was applied stays"
    press(sandbox, session.id, "code", code="")
    assert "Pay 120.00 EUR" in sandbox.http.get(f"/stripe/pay/{session.id}").text


def test_a_checkout_of_nothing_only_needs_to_be_confirmed(sandbox: RunningSandbox) -> None:
    session = opened(sandbox, allow_promotion_codes=True)
    press(sandbox, session.id, "code", code="HUNDRED")
    page = sandbox.http.get(f"/stripe/pay/{session.id}").text
    assert [text for text in buttons(page) if text != "Apply"] == ["Pay 0.00 EUR", "Go back"]
    assert press(sandbox, session.id, "pay").status_code == 303


def test_an_expired_checkout_says_so(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    act(sandbox, "expire", session_id=session.id)
    page = sandbox.http.get(f"/stripe/pay/{session.id}").text
    assert "This checkout has expired" in page
    assert URLS["cancel_url"] in page


def test_odd_wishes_get_an_answer(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    assert press(sandbox, session.id, "dance").status_code == 422
    assert press(sandbox, "cs_unknown", "pay").status_code == 404
    assert press(sandbox, session.id, "code", code="WELCOME10").status_code == 422, "codes are not allowed"


def test_what_a_merchant_writes_is_shown_safely(sandbox: RunningSandbox) -> None:
    data = {"currency": "eur", "unit_amount": 900, "product_data": {"name": "<b>Mug</b>"}}
    session = opened(sandbox, line_items=[{"quantity": 2, "price_data": data}])
    page = sandbox.http.get(session.url).text
    assert "&lt;b&gt;Mug&lt;/b&gt; × 2" in page
    assert "&lt;b&gt;Mug&lt;/b&gt;, 18.00 EUR" in sandbox.http.get("/stripe/checkouts").text
    assert 'href="/stripe/checkouts"' in sandbox.http.get("/").text
