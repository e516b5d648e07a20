"""Control calls that act at Stripe: as a buyer, as the merchant in the dashboard, or as Stripe and the banks."""

from __future__ import annotations

import msgspec
from litestar import get, post
from litestar.di import NamedDependency

from sandbox.control.errors import ControlError, body_of
from sandbox.http import HttpRequest, HttpResponse, json_answer
from sandbox.stripe import buyer, refunds
from sandbox.stripe.service import Stripe
from sandbox.stripe.things import Shelf, Thing, rendered


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A checkout to act on."""

    session_id: str


class PayWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"later": "async"}):
    """A payment: with a promotion code entered before, `async` by a bank transfer that is settled later."""

    session_id: str
    promotion_code: str = ""
    later: bool = False


class SettleWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a bank transfer."""

    session_id: str
    succeed: bool = True


class RefundWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refund made in the dashboard; without an amount all that is left."""

    payment_intent: str
    amount: int | None = None
    metadata: dict[str, str] = {}


class RefundChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refund that something happens to."""

    refund: str


class DisputeWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payment that its buyer disputes."""

    payment_intent: str


class DisputeEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a dispute ends."""

    dispute: str
    won: bool


class Redelivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which events to deliver again: one, or without an id `all` of them."""

    event_id: str = ""
    all: bool = False
    times: int = 1
    shuffle: bool = False


def _told(thing: Thing) -> HttpResponse:
    return json_answer(rendered(thing, (), {}))


def _shelf(shelf: Shelf) -> HttpResponse:
    """All things of a kind, oldest first."""
    return json_answer({"items": [rendered(thing, (), {}) for thing in reversed(shelf.newest_first())]})


@post("/stripe/pay", status_code=200)
async def pay(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Pay a checkout; gives the session."""
    wish = await body_of(request, PayWish)
    if wish.promotion_code:
        buyer.enter_code(stripe, wish.session_id, wish.promotion_code)
    return _told(buyer.pay(stripe, wish.session_id, later=wish.later))


@post("/stripe/decline", status_code=200)
async def decline(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Try to pay a checkout with a card that is declined; it stays open."""
    return _told(buyer.decline(stripe, (await body_of(request, Wish)).session_id))


@post("/stripe/expire", status_code=200)
async def expire(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Let a checkout's time be over."""
    return _told(buyer.expire(stripe, (await body_of(request, Wish)).session_id))


@post("/stripe/settle", status_code=200)
async def settle(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Let a bank transfer arrive or fail."""
    wish = await body_of(request, SettleWish)
    return _told(buyer.settle(stripe, wish.session_id, succeed=wish.succeed))


@post("/stripe/refund", status_code=200)
async def refund(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Refund a payment in the dashboard."""
    wish = await body_of(request, RefundWish)
    if wish.amount is not None and wish.amount < 1:
        raise ControlError(400, "amount is 1 or more")
    params = {"payment_intent": wish.payment_intent, "metadata": wish.metadata}
    return _told(refunds.refund(stripe, params if wish.amount is None else {**params, "amount": wish.amount}))


@post("/stripe/refund/delay", status_code=200)
async def delay_refund(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Let a refund be pending."""
    return _told(refunds.delay(stripe, (await body_of(request, RefundChange)).refund))


@post("/stripe/refund/succeed", status_code=200)
async def succeed_refund(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Let a pending refund succeed."""
    return _told(refunds.succeed(stripe, (await body_of(request, RefundChange)).refund))


@post("/stripe/refund/fail", status_code=200)
async def fail_refund(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Let a refund fail at the buyer's bank."""
    return _told(refunds.fail(stripe, (await body_of(request, RefundChange)).refund))


@post("/stripe/dispute", status_code=200)
async def dispute(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Dispute a payment."""
    return _told(refunds.dispute(stripe, (await body_of(request, DisputeWish)).payment_intent))


@post("/stripe/dispute/close", status_code=200)
async def close_dispute(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Decide a dispute."""
    wish = await body_of(request, DisputeEnd)
    return _told(refunds.close_dispute(stripe, wish.dispute, won=wish.won))


@post("/stripe/redeliver", status_code=200)
async def redeliver(request: HttpRequest, stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Deliver events again, freshly signed; {"deliveries": n}."""
    wish = await body_of(request, Redelivery)
    if wish.all and wish.event_id:
        raise ControlError(400, "give one of `event_id` and `all`")
    if not 1 <= wish.times <= 100:
        raise ControlError(400, "times is 1 to 100")
    shelf = stripe.events.shelf
    events = [shelf.need(wish.event_id)] if wish.event_id else shelf.newest_first()[::-1]
    return json_answer({"deliveries": stripe.events.redeliver(events, wish.times, wish.shuffle)})


@get("/stripe/sessions")
async def show_sessions(stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Every checkout session."""
    buyer.sweep(stripe)
    return _shelf(stripe.sessions)


@get("/stripe/events")
async def show_events(stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Every event, delivered or not."""
    return _shelf(stripe.events.shelf)


@get("/stripe/refunds")
async def show_refunds(stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Every refund."""
    return _shelf(stripe.refunds)


@post("/stripe/keys/expire", status_code=200)
async def expire_keys(stripe: NamedDependency[Stripe]) -> HttpResponse:
    """Let every idempotency key be forgotten, as after 24 hours."""
    return json_answer({"expired": stripe.keys.expire()})


HANDLERS = [
    pay,
    decline,
    expire,
    settle,
    refund,
    delay_refund,
    succeed_refund,
    fail_refund,
    dispute,
    close_dispute,
    redeliver,
    show_sessions,
    show_events,
    show_refunds,
    expire_keys,
]
