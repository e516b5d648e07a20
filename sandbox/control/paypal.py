"""Control calls that act at PayPal: as the buyer, as the merchant in the dashboard, or as PayPal itself."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency

from sandbox.control.errors import ControlError, body_of
from sandbox.http import HttpRequest, HttpResponse, json_answer
from sandbox.paypal import orders, refunds
from sandbox.paypal.contract import REFUND, read
from sandbox.paypal.models import Capture, Dispute, Order, Outcome
from sandbox.paypal.pages import can_approve
from sandbox.paypal.service import PayPal
from sandbox.paypal.shown import capture_alone, dispute_shown, refund_shown


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A buyer's agreement, and what capturing shall come to."""

    order_id: str
    outcome: Outcome = "completed"


class AboutOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order."""

    order_id: str


class AboutCapture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A capture."""

    capture_id: str


class Settlement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of a pending capture."""

    capture_id: str
    succeed: bool


class DashboardRefund(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refund by the merchant's own hand; `amount` as a decimal string, without it all that is left."""

    capture_id: str
    amount: str | None = None


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of a dispute."""

    dispute_id: str
    won: bool


class AboutDispute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dispute."""

    dispute_id: str


class Redelivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events to send again: one, or without `event_id` all; each so many times."""

    event_id: str = ""
    times: int = 1
    shuffle: bool = False


@post("/paypal/approve", status_code=200)
async def approve(request: HttpRequest, paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Approve an order as its buyer; {"location": where the browser would be sent}."""
    wish = await body_of(request, Approval)
    order = paypal.order(wish.order_id)
    if not can_approve(order):
        raise ControlError(409, f"order {order.id} is {order.status}")
    return json_answer({"location": orders.approve(paypal, order, wish.outcome)})


@post("/paypal/decline", status_code=200)
async def decline(request: HttpRequest, paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Walk away as the buyer: nothing happens at PayPal; {"location": where the browser would be sent}."""
    order = paypal.order((await body_of(request, AboutOrder)).order_id)
    return json_answer({"location": orders.go_back(order)})


@post("/paypal/expire", status_code=200)
async def expire(request: HttpRequest, paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Let an order be forgotten, as three hours after its creation."""
    order = paypal.order((await body_of(request, AboutOrder)).order_id)
    if order.status != "CREATED":
        raise ControlError(409, f"order {order.id} is {order.status}")
    paypal.change_order(order, expires=0.0)
    return json_answer({})


@post("/paypal/settle", status_code=200)
async def settle(request: HttpRequest, paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Let a pending capture be completed or denied."""
    wish = await body_of(request, Settlement)
    order, capture, _ = paypal.capture(wish.capture_id)
    if capture.status != "PENDING":
        raise ControlError(409, f"capture {capture.id} is {capture.status}")
    return json_answer(capture_alone(order, orders.settle(paypal, order, capture, succeed=wish.succeed), []))


@post("/paypal/refund", status_code=200)
async def refund(request: HttpRequest, paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Refund a capture by the merchant's own hand in the dashboard."""
    wish = await body_of(request, DashboardRefund)
    order, capture, _ = paypal.capture(wish.capture_id)
    body: dict[str, Any] = {}
    if wish.amount is not None:
        money = {"currency_code": capture.amount.currency, "value": wish.amount}
        body = read(msgspec.json.encode({"amount": money}), REFUND)
    return json_answer(refund_shown(order, refunds.give_back(paypal, order, capture, body, "dashboard")))


@post("/paypal/reverse", status_code=200)
async def reverse(request: HttpRequest, paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Take what is left of a capture back from the merchant, as after a chargeback."""
    order, capture = await _capture(request, paypal)
    return json_answer(refund_shown(order, refunds.give_back(paypal, order, capture, {}, "reversal")))


@post("/paypal/dispute", status_code=200)
async def dispute(request: HttpRequest, paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Open a dispute about a capture as the buyer."""
    order, capture = await _capture(request, paypal)
    return json_answer(dispute_shown(order, refunds.dispute(paypal, order, capture)))


@post("/paypal/dispute/update", status_code=200)
async def update_dispute(request: HttpRequest, paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Let PayPal review an open dispute."""
    case = _open_dispute(paypal, (await body_of(request, AboutDispute)).dispute_id)
    order = paypal.order(case.order)
    return json_answer(dispute_shown(order, refunds.review(paypal, order, case)))


@post("/paypal/dispute/close", status_code=200)
async def close_dispute(request: HttpRequest, paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Decide an open dispute."""
    wish = await body_of(request, Decision)
    case = _open_dispute(paypal, wish.dispute_id)
    order = paypal.order(case.order)
    return json_answer(dispute_shown(order, refunds.close(paypal, order, case, won=wish.won)))


@post("/paypal/redeliver", status_code=200)
async def redeliver(request: HttpRequest, paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Send past events again, freshly signed; {"deliveries": n}."""
    wish = await body_of(request, Redelivery)
    if not 1 <= wish.times <= 100:
        raise ControlError(400, "times is 1 to 100")
    events = paypal.events.all.values()
    if wish.event_id:
        events = [event for event in events if event.id == wish.event_id]
        if not events:
            raise ControlError(404, f"there is no event {wish.event_id!r}")
    return json_answer({"deliveries": paypal.events.tell_again(events, wish.times, wish.shuffle)})


@post("/paypal/keys/expire", status_code=200)
async def expire_keys(paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Let every PayPal-Request-Id be forgotten, as after 6 hours."""
    return json_answer({"expired": paypal.keys.expire()})


@post("/paypal/tokens/expire", status_code=200)
async def expire_tokens(paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Let every access token be out of date."""
    return json_answer({"expired": paypal.tokens.expire()})


@get("/paypal/orders")
async def show_orders(paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Every order, expired ones too."""
    return json_answer({"items": [orders.whole(paypal, order) for order in paypal.orders.values()]})


@get("/paypal/captures")
async def show_captures(paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Every capture."""
    return json_answer({"items": [capture_alone(*paypal.capture(name)) for name in paypal.captures]})


@get("/paypal/refunds")
async def show_refunds(paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Every refund; `by` says whose doing it was: api, dashboard, reversal."""
    items = [
        refund_shown(paypal.order(refund.order), refund) | {"by": refund.by}
        for refund in paypal.refunds.values()
    ]
    return json_answer({"items": items})


@get("/paypal/events")
async def show_events(paypal: NamedDependency[PayPal]) -> HttpResponse:
    """Every event that was told by webhook, with its body."""
    return json_answer({"items": [msgspec.json.decode(event.body) for event in paypal.events.all.values()]})


async def _capture(request: HttpRequest, paypal: PayPal) -> tuple[Order, Capture]:
    order, capture, _ = paypal.capture((await body_of(request, AboutCapture)).capture_id)
    return order, capture


def _open_dispute(paypal: PayPal, dispute_id: str) -> Dispute:
    case = paypal.disputes.get(dispute_id)
    if case is None:
        raise ControlError(404, f"there is no dispute {dispute_id!r}")
    if case.status == "RESOLVED":
        raise ControlError(409, f"dispute {case.id} is {case.status}")
    return case


HANDLERS = [
    approve,
    decline,
    expire,
    settle,
    refund,
    reverse,
    dispute,
    update_dispute,
    close_dispute,
    redeliver,
    expire_keys,
    expire_tokens,
    show_orders,
    show_captures,
    show_refunds,
    show_events,
]
