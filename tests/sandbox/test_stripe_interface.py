"""What every request to Stripe's stand-in goes through: key, names, idempotency, chaos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.stripe_client import (
    SESSION,
    act,
    by_hand,
    by_sdk,
    error_of,
    flat,
    opened,
    paid,
)
from tests.support.sandbox import RunningSandbox, running_sandbox

KEY = {"Idempotency-Key": "order-1"}


def create(sandbox: RunningSandbox, key: dict[str, str] | None = None, **more: Any) -> Any:
    return by_hand(sandbox, "checkout/sessions", flat({**SESSION, **more}), **(KEY if key is None else key))


def sessions(sandbox: RunningSandbox) -> int:
    return len(sandbox.control.call("GET", "/stripe/sessions")["items"])


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer sk_test_other", "Basic c2tfdGVzdF9zYW5kYm94Og==", "Bearer sk_test_sändbox"],
)
def test_the_key_is_needed(sandbox: RunningSandbox, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    answer = sandbox.http.get("/stripe/v1/balance", headers=headers)
    assert error_of(answer, 401)["type"] == "invalid_request_error"


def test_chaos_revokes_the_key(sandbox: RunningSandbox) -> None:
    sandbox.control.chaos("stripe", revoke=True)
    error_of(by_hand(sandbox, "balance", method="GET"), 401)
    sandbox.control.chaos()
    assert by_sdk(sandbox, lambda v1: v1.balance.retrieve_async()).object == "balance"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "nothing"), ("POST", "balance"), ("GET", "checkout"), ("GET", "")]
)
def test_unknown_addresses_are_told_in_stripes_shape(sandbox: RunningSandbox, method: str, path: str) -> None:
    assert "Unrecognized request URL" in error_of(by_hand(sandbox, path, method=method), 404)["message"]


def test_a_method_that_is_not_there_is_told_in_stripes_shape(sandbox: RunningSandbox) -> None:
    error_of(by_hand(sandbox, "refunds/re_1", method="DELETE"), 405)


@pytest.mark.parametrize(
    "kind", ["checkout/sessions", "payment_intents", "charges", "refunds", "disputes", "events"]
)
def test_unknown_ids_are_missing(sandbox: RunningSandbox, kind: str) -> None:
    assert error_of(by_hand(sandbox, f"{kind}/unknown", method="GET"), 404)["code"] == "resource_missing"


@pytest.mark.parametrize(
    "body", ["a[b=1", "[a]=1", "a=1&a[b]=2", "mode=payment&mode=payment", "a[][b]=1&a[0][b]=2"]
)
def test_names_that_make_no_sense_are_refused(sandbox: RunningSandbox, body: str) -> None:
    error_of(by_hand(sandbox, "checkout/sessions", body))


def test_a_key_stands_for_the_first_answer(sandbox: RunningSandbox) -> None:
    first, second = create(sandbox), create(sandbox)
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert sessions(sandbox) == 1
    assert create(sandbox, {"Idempotency-Key": "order-2"}).json()["id"] != first.json()["id"]
    assert create(sandbox, {}).json()["id"] != first.json()["id"]


def test_a_key_goes_with_one_request_only(sandbox: RunningSandbox) -> None:
    create(sandbox)
    other = error_of(create(sandbox, customer_email="other@example.test"))
    assert other["type"] == "idempotency_error"
    elsewhere = by_hand(sandbox, "products", {"name": "Pack"}, **KEY)
    assert error_of(elsewhere)["type"] == "idempotency_error"
    assert error_of(create(sandbox, {"Idempotency-Key": "x" * 256}))["type"] == "idempotency_error"


def test_keys_are_forgotten_after_a_day(sandbox: RunningSandbox) -> None:
    first = create(sandbox).json()
    assert act(sandbox, "keys/expire") == {"expired": 1}
    assert create(sandbox).json()["id"] != first["id"]


def test_parameters_that_are_refused_do_not_use_a_key_up(sandbox: RunningSandbox) -> None:
    error_of(create(sandbox, colour="blue"))
    assert create(sandbox).status_code == 200


def test_what_is_refused_while_it_is_done_uses_its_key_up(sandbox: RunningSandbox) -> None:
    payment = paid(sandbox)["payment_intent"]
    params = {"payment_intent": payment, "amount": "12001"}
    first, second = (by_hand(sandbox, "refunds", params, **KEY) for _ in range(2))
    assert error_of(first) == error_of(second)
    assert second.headers["idempotent-replayed"] == "true"


def test_a_500_after_the_work_is_kept_and_given_again(sandbox: RunningSandbox) -> None:
    sandbox.control.chaos("stripe", error_rate=1, after=True, count=1)
    first, second = create(sandbox), create(sandbox)
    assert error_of(first, 500) == error_of(second, 500)
    assert error_of(second, 500)["type"] == "api_error"
    assert second.headers["idempotent-replayed"] == "true"
    assert first.headers["stripe-should-retry"] == "false"
    assert sessions(sandbox) == 1
    assert create(sandbox, {"Idempotency-Key": "order-2"}).status_code == 200


@pytest.mark.parametrize(("status", "after"), [(500, False), (503, False), (503, True), (429, False)])
def test_other_failures_are_not_kept(sandbox: RunningSandbox, status: int, after: bool) -> None:
    sandbox.control.chaos("stripe", error_rate=1, status=status, after=after, count=1)
    error = error_of(create(sandbox), status)
    assert error["type"] == ("invalid_request_error" if status == 429 else "api_error")
    assert create(sandbox).status_code == 200
    assert sessions(sandbox) == 1


def test_keys_and_state_survive_a_restart(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as first:
        made = create(first).json()
    with running_sandbox(tmp_path) as second:
        again = create(second)
        assert again.json()["id"] == made["id"]
        assert again.headers["idempotent-replayed"] == "true"
        assert sessions(second) == 1


def test_reset_leaves_the_discounts_of_the_start(sandbox: RunningSandbox) -> None:
    paid(sandbox)
    create(sandbox)
    sandbox.control.reset()
    for what in ("sessions", "events", "refunds"):
        assert sandbox.control.call("GET", f"/stripe/{what}")["items"] == []
    assert act(sandbox, "keys/expire") == {"expired": 0}
    assert len(by_sdk(sandbox, lambda v1: v1.promotion_codes.list_async()).data) == 3
    assert opened(sandbox, discounts=[{"coupon": "GRANDFATHERED"}]).amount_total == 9_600


@pytest.mark.parametrize(
    ("path", "wish", "status"),
    [
        ("pay", {}, 400),
        ("pay", {"session_id": "cs_unknown"}, 404),
        ("pay", {"session": "cs_1"}, 400),
        ("decline", {"session_id": "cs_unknown"}, 404),
        ("expire", {"session_id": "cs_unknown"}, 404),
        ("settle", {"session_id": "cs_unknown"}, 404),
        ("refund", {"payment_intent": "pi_unknown"}, 400),
        ("refund", {"payment_intent": "pi_unknown", "amount": 0}, 400),
        ("refund/fail", {"refund": "re_unknown"}, 404),
        ("dispute", {"payment_intent": "pi_unknown"}, 400),
        ("dispute/close", {"dispute": "du_unknown", "won": True}, 404),
        ("redeliver", {"event": "evt_1"}, 400),
        ("redeliver", {"event_id": "evt_unknown"}, 404),
        ("redeliver", {"all": True, "times": 0}, 400),
        ("redeliver", {"all": True, "event_id": "evt_1"}, 400),
    ],
)
def test_control_calls_are_refused_with_a_reason(
    sandbox: RunningSandbox, path: str, wish: dict[str, Any], status: int
) -> None:
    answer = sandbox.control.http.post(f"/stripe/{path}", json=wish)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_what_control_calls_can_not_do_to_a_free_checkout(sandbox: RunningSandbox) -> None:
    free = opened(sandbox, discounts=[{"coupon": "FREE"}])
    assert sandbox.control.http.post("/stripe/decline", json={"session_id": free.id}).status_code == 400
