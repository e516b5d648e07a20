"""Checkout sessions by Stripe's own SDK, and by hand what Stripe refuses."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.state import Store
from sandbox.stripe.things import Thing
from tests.sandbox.stripe_client import (
    BUYER,
    SESSION,
    act,
    by_hand,
    by_sdk,
    error_of,
    events,
    flat,
    found,
    opened,
    paid,
)
from tests.support.sandbox import RunningSandbox, running_sandbox


def refused(sandbox: RunningSandbox, change: dict[str, Any], *without: str) -> dict[str, Any]:
    """The error for a session with these bracketed names changed or left out; a value replaces its members."""
    kept = {
        name: value
        for name, value in flat(SESSION).items()
        if name not in without and not any(name.startswith(f"{other}[") for other in change)
    }
    return error_of(by_hand(sandbox, "checkout/sessions", {**kept, **change}))


def test_a_session_is_open_for_a_day_and_waits_for_its_buyer(sandbox: RunningSandbox) -> None:
    session = opened(sandbox, metadata={"order_id": "7"}, client_reference_id="7")
    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_subtotal, session.amount_total, session.currency) == (12_000, 12_000, "eur")
    assert (session.metadata.to_dict(), session.client_reference_id) == ({"order_id": "7"}, "7")
    assert session.customer_details.email == BUYER
    assert abs(session.expires_at - time.time() - 24 * 3600) < 10
    assert session.url == f"{sandbox.url}/stripe/pay/{session.id}"
    assert events(sandbox) == []


def test_a_paid_session_has_an_intent_with_a_charge(sandbox: RunningSandbox) -> None:
    done = paid(sandbox, payment_intent_data={"metadata": {"order_id": "7"}})
    assert (done["status"], done["payment_status"], done["url"]) == ("complete", "paid", None)
    session = found(sandbox, done["id"], "payment_intent.latest_charge", "line_items")
    intent = session.payment_intent
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 12_000, 12_000)
    assert intent.metadata.to_dict() == intent.latest_charge.metadata.to_dict() == {"order_id": "7"}
    assert (intent.latest_charge.paid, intent.latest_charge.payment_intent) == (True, intent.id)
    assert session.line_items.data[0].description == "Four sessions"
    assert [event["type"] for event in events(sandbox)] == [
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    assert events(sandbox)[1]["data"]["object"] == done


def test_answers_hold_only_what_was_expanded(sandbox: RunningSandbox) -> None:
    plain = found(sandbox, paid(sandbox)["id"]).to_dict()
    assert isinstance(plain["payment_intent"], str)
    assert "line_items" not in plain
    assert "breakdown" not in plain["total_details"]
    assert not [name for name in plain if name.startswith("_")]


@pytest.mark.parametrize(
    "path", ["status", "nothing", "payment_intent.nothing", "a.b.c.d.e", "_line_items", "data"]
)
def test_what_can_not_be_expanded_is_refused(sandbox: RunningSandbox, path: str) -> None:
    session = paid(sandbox)
    answer = by_hand(sandbox, f"checkout/sessions/{session['id']}", {"expand[]": path}, "GET")
    assert "expand" in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"colour": "blue"}, "colour", "parameter_unknown"),
        ({"payment_method_types[0]": "card"}, "payment_method_types", "parameter_unknown"),
        (
            {"line_items[0][price_data][unit_price]": "5"},
            "line_items[0][price_data][unit_price]",
            "parameter_unknown",
        ),
        ({"discounts[0][code]": "WELCOME10"}, "discounts[0][code]", "parameter_unknown"),
        ({"mode": "subscription"}, "mode", None),
        ({"success_url": "nowhere"}, "success_url", None),
        ({"cancel_url": ""}, "cancel_url", "parameter_invalid_empty"),
        ({"customer_email": "nobody"}, "customer_email", None),
        ({"client_reference_id": "x" * 201}, "client_reference_id", None),
        ({"line_items[0][quantity]": "0"}, "line_items[0][quantity]", "parameter_invalid_integer"),
        ({"line_items[0][quantity]": "one"}, "line_items[0][quantity]", "parameter_invalid_integer"),
        ({"line_items[0][price]": "price_1"}, "line_items[0][price]", None),
        ({"line_items[0][price_data][currency]": "euro"}, "line_items[0][price_data][currency]", None),
        (
            {"line_items[0][price_data][unit_amount]": "-1"},
            "line_items[0][price_data][unit_amount]",
            "parameter_invalid_integer",
        ),
        ({"line_items[0][price_data][unit_amount]": "49"}, "line_items", "amount_too_small"),
        ({"line_items[0][price_data][product]": "prod_1"}, "line_items[0][price_data][product]", None),
        ({"line_items": "x"}, "line_items", None),
        ({"metadata": "x"}, "metadata", None),
        ({"metadata[a]": "x" * 501}, "metadata", None),
        ({f"metadata[{'x' * 41}]": "a"}, "metadata", None),
        ({f"metadata[{n}]": "a" for n in range(51)}, "metadata", None),
        ({"metadata[a][b]": "c"}, "metadata", None),
        ({"allow_promotion_codes": "yes"}, "allow_promotion_codes", None),
        ({"allow_promotion_codes": "true", "discounts[0][coupon]": "WELCOME"}, "discounts", None),
        ({"discounts[0][coupon]": "NOPE"}, "discounts[0][coupon]", "resource_missing"),
        ({"discounts[0][promotion_code]": "WELCOME10"}, "discounts[0][promotion_code]", "resource_missing"),
        (
            {"discounts[0][coupon]": "WELCOME", "discounts[0][promotion_code]": "promo_1"},
            "discounts[0][coupon]",
            None,
        ),
        (
            {"discounts[0][coupon]": "FIVE", "line_items[0][price_data][currency]": "usd"},
            "discounts[0]",
            None,
        ),
        ({"discounts[0][coupon]": "WELCOME", "discounts[1][coupon]": "WELCOME"}, "discounts", None),
        (
            {"line_items[0][price_data][currency]": "kwd", "line_items[0][price_data][unit_amount]": "12345"},
            None,
            None,
        ),
    ],
)
def test_stripe_refuses_sessions_and_says_why(
    sandbox: RunningSandbox, change: dict[str, str], param: str | None, code: str | None
) -> None:
    error = refused(sandbox, change)
    assert error["type"] == "invalid_request_error"
    assert error.get("code") == code
    if param:
        assert error["param"] == param
    assert sandbox.control.call("GET", "/stripe/sessions")["items"] == []


@pytest.mark.parametrize("name", ["mode", "success_url"])
def test_what_is_needed_is_asked_for(sandbox: RunningSandbox, name: str) -> None:
    error = refused(sandbox, {}, name)
    assert (error["param"], error["code"]) == (name, "parameter_missing")


def test_an_end_lies_between_30_minutes_and_a_day_ahead(sandbox: RunningSandbox) -> None:
    for minutes, good in ((29, False), (31, True), (23 * 60, True), (24 * 60 + 1, False)):
        end = int(time.time()) + minutes * 60
        if good:
            assert opened(sandbox, expires_at=end).expires_at == end
        else:
            assert refused(sandbox, {"expires_at": str(end)})["param"] == "expires_at"


def test_only_active_prices_are_sold(sandbox: RunningSandbox) -> None:
    product = by_sdk(sandbox, lambda v1: v1.products.create_async({"name": "Pack"}))
    price = by_sdk(
        sandbox,
        lambda v1: v1.prices.create_async({"product": product.id, "currency": "eur", "unit_amount": 9_900}),
    )
    items = [{"price": price.id, "quantity": 2}]
    assert opened(sandbox, line_items=items).amount_total == 19_800
    by_sdk(sandbox, lambda v1: v1.prices.update_async(price.id, {"active": False}))
    error = error_of(by_hand(sandbox, "checkout/sessions", flat({**SESSION, "line_items": items})))
    assert "inactive" in error["message"]


def test_a_session_is_expired_once_and_never_paid_after_that(sandbox: RunningSandbox) -> None:
    session = opened(sandbox)
    act(sandbox, "decline", session_id=session.id)
    ended = by_sdk(sandbox, lambda v1: v1.checkout.sessions.expire_async(session.id))
    assert (ended.status, ended.url) == ("expired", None)
    assert found(sandbox, session.id, "payment_intent").payment_intent.status == "canceled"
    again = by_hand(sandbox, f"checkout/sessions/{session.id}/expire")
    assert "can be expired" in error_of(again)["message"]
    assert sandbox.control.http.post("/stripe/pay", json={"session_id": session.id}).status_code == 400
    assert [event["type"] for event in events(sandbox)] == ["checkout.session.expired"]


def test_a_completed_session_can_not_be_expired(sandbox: RunningSandbox) -> None:
    session = paid(sandbox)
    answer = by_hand(sandbox, f"checkout/sessions/{session['id']}/expire")
    assert "`complete`" in error_of(answer)["message"]


def test_a_session_expires_when_its_time_is_over(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as first:
        session = opened(first)
        other = opened(first)
    store = Store(first.settings.state_file)
    sessions = store.collection("stripe.checkout.session", Thing)
    for id_ in (session.id, other.id):
        sessions.put(id_, {**(sessions.get(id_) or {}), "expires_at": int(time.time()) - 1})
    store.close()
    with running_sandbox(tmp_path) as second:
        assert second.http.get(f"/stripe/pay/{session.id}").text.count("has expired") == 1
        assert [event["type"] for event in events(second)] == ["checkout.session.expired"]
        listed = by_sdk(second, lambda v1: v1.checkout.sessions.list_async({"status": "expired"}))
        assert {one.id for one in listed.data} == {session.id, other.id}
        assert len(events(second, "checkout.session.expired")) == 2, "once each"


def test_a_total_of_nothing_needs_no_payment(sandbox: RunningSandbox) -> None:
    done = paid(sandbox, discounts=[{"coupon": "FREE"}])
    assert (done["status"], done["payment_status"]) == ("complete", "no_payment_required")
    assert (done["amount_total"], done["payment_intent"]) == (0, None)
    assert [event["type"] for event in events(sandbox)] == ["checkout.session.completed"]


def test_sessions_are_listed_newest_first_page_after_page(sandbox: RunningSandbox) -> None:
    ids = [opened(sandbox).id for _ in range(5)]
    done = act(sandbox, "pay", session_id=ids[2])

    async def all_of(v1: Any, **params: Any) -> list[str]:
        page = await v1.checkout.sessions.list_async({"limit": 2, **params})
        return [one.id async for one in page.auto_paging_iter()]

    assert by_sdk(sandbox, all_of) == ids[::-1]
    assert by_sdk(sandbox, lambda v1: all_of(v1, status="open")) == [
        id_ for id_ in ids[::-1] if id_ != ids[2]
    ]
    assert by_sdk(sandbox, lambda v1: all_of(v1, payment_intent=done["payment_intent"])) == [ids[2]]
    assert by_sdk(sandbox, lambda v1: all_of(v1, created={"gte": int(time.time()) + 60})) == []
    for params in ({"limit": "0"}, {"limit": "101"}, {"starting_after": "cs_unknown"}, {"colour": "blue"}):
        error_of(by_hand(sandbox, "checkout/sessions", params, "GET"))


def test_payments_by_bank_are_settled_later(sandbox: RunningSandbox) -> None:
    good, bad = opened(sandbox), opened(sandbox)
    for session in (good, bad):
        waiting = act(sandbox, "pay", session_id=session.id, **{"async": True})
        assert (waiting["status"], waiting["payment_status"]) == ("complete", "unpaid")
    assert found(sandbox, good.id, "payment_intent").payment_intent.status == "processing"
    assert act(sandbox, "settle", session_id=good.id)["payment_status"] == "paid"
    assert act(sandbox, "settle", session_id=bad.id, succeed=False)["payment_status"] == "unpaid"
    failed = found(sandbox, bad.id, "payment_intent.latest_charge").payment_intent
    assert (failed.status, failed.latest_charge.status) == ("requires_payment_method", "failed")
    assert [event["type"] for event in events(sandbox)] == [
        "checkout.session.completed",
        "checkout.session.completed",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
    ]
    assert sandbox.control.http.post("/stripe/settle", json={"session_id": good.id}).status_code == 400
