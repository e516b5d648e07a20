"""Stripe's deliveries: signed as Stripe signs, again and again if wanted, as unreliable as the chaos dial says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
import stripe

from tests.sandbox.receiver import Receiver, receiving
from tests.sandbox.stripe_client import act, by_hand, by_sdk, error_of, events, opened, paid
from tests.support.sandbox import RunningSandbox, running_sandbox


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    """The platform's place."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(listening: Receiver) -> Receiver:
    """The platform's place, empty and well."""
    listening.status = 200
    while not listening.messages.empty():
        listening.messages.get()
    return listening


@pytest.fixture(scope="module")
def posting(listening: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox that delivers to the receiver."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), public_url=listening.url) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(posting: RunningSandbox) -> RunningSandbox:
    """The delivering sandbox as after start."""
    posting.control.reset()
    return posting


def read(message: dict[str, str]) -> stripe.Event:
    """The event, its signature checked by Stripe's own SDK."""
    event: stripe.Event = stripe.Webhook.construct_event(
        message["body"], message["stripe-signature"], "whsec_sandbox"
    )
    return event


def test_a_delivery_is_signed_as_stripe_signs(sandbox: RunningSandbox, receiver: Receiver) -> None:
    session = opened(sandbox)
    act(sandbox, "expire", session_id=session.id)
    message = receiver.next()
    assert message["path"] == "/api/webhooks/stripe"
    assert message["content-type"] == "application/json; charset=utf-8"
    event = read(message)
    assert (event.type, event.api_version) == ("checkout.session.expired", "2026-10-28.endive")
    assert json.loads(message["body"]) == events(sandbox)[0]
    assert by_sdk(sandbox, lambda v1: v1.events.retrieve_async(event.id)).id == event.id
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(message["body"] + " ", message["stripe-signature"], "whsec_sandbox")


def stamp(message: dict[str, str]) -> int:
    return int(message["stripe-signature"].split(",")[0].removeprefix("t="))


def test_a_failed_delivery_is_tried_again_with_a_fresh_signature(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    receiver.status = 503
    act(sandbox, "expire", session_id=opened(sandbox).id)
    first, second, third = (receiver.next() for _ in range(3))
    assert first["body"] == second["body"] == third["body"]
    assert stamp(third) > stamp(first)
    assert abs(stamp(third) - time.time()) < 30
    assert read(third).type == "checkout.session.expired"


def test_events_are_delivered_again_on_demand(sandbox: RunningSandbox, receiver: Receiver) -> None:
    act(sandbox, "refund", payment_intent=paid(sandbox)["payment_intent"])
    known = events(sandbox)
    assert sorted(read(receiver.next()).id for _ in known) == sorted(event["id"] for event in known)
    assert act(sandbox, "redeliver", event_id=known[0]["id"]) == {"deliveries": 1}
    assert read(receiver.next()).id == known[0]["id"]
    assert act(sandbox, "redeliver", all=True, times=3, shuffle=True) == {"deliveries": 3 * len(known)}
    again = [read(receiver.next()).id for _ in range(3 * len(known))]
    assert sorted(again) == sorted([event["id"] for event in known] * 3)


def test_chaos_drops_and_duplicates_deliveries(sandbox: RunningSandbox, receiver: Receiver) -> None:
    sandbox.control.chaos("stripe", drop_webhooks=1)
    act(sandbox, "expire", session_id=opened(sandbox).id)
    sandbox.control.chaos("stripe", duplicate_webhooks=1)
    act(sandbox, "expire", session_id=opened(sandbox).id)
    lost, told = events(sandbox)
    assert [read(receiver.next()).id for _ in range(2)] == [told["id"]] * 2
    assert sandbox.control.webhooks("stripe")[0]["problem"] == "dropped"
    sandbox.control.chaos()
    act(sandbox, "redeliver", event_id=lost["id"])
    assert read(receiver.next()).id == lost["id"]


def test_events_are_listed(sandbox: RunningSandbox) -> None:
    paid(sandbox)
    wish = {"type": "checkout.session.completed"}
    (done,) = by_sdk(sandbox, lambda v1: v1.events.list_async(wish)).data
    assert done.data.object.status == "complete"
    error_of(by_hand(sandbox, "events", {"kind": "x"}, "GET"))
