"""What Stripe's interface offers here: each operation with the parameters it takes and what it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.stripe import buyer, catalogue, discounts, refunds, sessions
from sandbox.stripe.contract import PAGING, Members, members, text
from sandbox.stripe.errors import StripeError
from sandbox.stripe.service import Stripe
from sandbox.stripe.things import Shelf, Thing, listed


@dataclass(frozen=True)
class Call:
    """A request whose parameters are in order: the id in its path (or ""), and the sandbox's own address."""

    stripe: Stripe
    params: Mapping[str, Any]
    path: str
    id: str = ""
    base: str = ""


@dataclass(frozen=True)
class Operation:
    """`path` below /v1, `{id}` standing for an id."""

    method: str
    path: str
    shape: Members
    act: Callable[[Call], Thing]


NOTHING = members()
PAGES = members("", **PAGING)
EVENTS = members("", **PAGING, type=text())


def operation_of(method: str, path: str) -> tuple[Operation, str]:
    """The operation and the id in its path. Raises StripeError 404."""
    for operation in OPERATIONS:
        pattern = re.escape(operation.path).replace(r"\{id\}", "([^/]+)")
        found = re.fullmatch(pattern, path)
        if found and operation.method == method:
            return operation, found[1] if found.groups() else ""
    raise StripeError(404, f"Unrecognized request URL ({method}: /v1/{path}).")


def _page(call: Call, shelf: Shelf, *names: str) -> Thing:
    """A page of the things whose members are as the parameters of these names say."""
    wanted = {name: call.params[name] for name in names if name in call.params}
    return listed(
        shelf, call.path, call.params, lambda thing: all(thing[name] == wanted[name] for name in wanted)
    )


def _sessions(call: Call) -> Thing:
    tests: dict[str, Callable[[int, int], bool]] = {
        "gt": int.__gt__,
        "gte": int.__ge__,
        "lt": int.__lt__,
        "lte": int.__le__,
    }
    created = call.params.get("created", {})
    names = [name for name in ("payment_intent", "status") if name in call.params]
    return listed(
        call.stripe.sessions,
        call.path,
        call.params,
        lambda thing: (
            all(thing[name] == call.params[name] for name in names)
            and all(tests[name](thing["created"], bound) for name, bound in created.items())
        ),
    )


def _codes(call: Call) -> Thing:
    """Codes are told apart without regard to case."""
    code, active, coupon = (call.params.get(name) for name in ("code", "active", "coupon"))
    return listed(
        call.stripe.promotion_codes,
        call.path,
        call.params,
        lambda thing: (
            (code is None or thing["code"].lower() == code.lower())
            and (active is None or thing["active"] == active)
            and (coupon is None or thing["promotion"]["coupon"] == coupon)
        ),
    )


def _change_code(call: Call) -> Thing:
    codes = call.stripe.promotion_codes
    return codes.change(codes.need(call.id), **call.params)


def _lines(call: Call) -> Thing:
    lines: Thing = buyer.current(call.stripe, call.id)["_line_items"]
    return lines


def _balance(call: Call) -> Thing:
    nothing = [{"amount": 0, "currency": "eur", "source_types": {"card": 0}}]
    return {"object": "balance", "available": nothing, "livemode": False, "pending": nothing}


OPERATIONS = (
    Operation(
        "POST",
        "checkout/sessions",
        sessions.SESSION,
        lambda call: sessions.open_session(call.stripe, call.params, call.base),
    ),
    Operation("GET", "checkout/sessions", sessions.SESSIONS, _sessions),
    Operation("GET", "checkout/sessions/{id}", NOTHING, lambda call: buyer.current(call.stripe, call.id)),
    Operation(
        "POST", "checkout/sessions/{id}/expire", NOTHING, lambda call: buyer.expire(call.stripe, call.id)
    ),
    Operation("GET", "checkout/sessions/{id}/line_items", PAGES, _lines),
    Operation("GET", "payment_intents/{id}", NOTHING, lambda call: call.stripe.intents.need(call.id)),
    Operation("GET", "charges/{id}", NOTHING, lambda call: call.stripe.charges.need(call.id)),
    Operation("POST", "refunds", refunds.REFUND, lambda call: refunds.refund(call.stripe, call.params)),
    Operation(
        "GET",
        "refunds",
        refunds.REFUNDS,
        lambda call: _page(call, call.stripe.refunds, "payment_intent", "charge"),
    ),
    Operation("GET", "refunds/{id}", NOTHING, lambda call: call.stripe.refunds.need(call.id)),
    Operation(
        "GET",
        "disputes",
        refunds.DISPUTES,
        lambda call: _page(call, call.stripe.disputes, "payment_intent", "charge"),
    ),
    Operation("GET", "disputes/{id}", NOTHING, lambda call: call.stripe.disputes.need(call.id)),
    Operation(
        "POST",
        "coupons",
        discounts.COUPON,
        lambda call: discounts.add_coupon(call.stripe.coupons, call.params),
    ),
    Operation("GET", "coupons/{id}", NOTHING, lambda call: call.stripe.coupons.need(call.id)),
    Operation(
        "POST",
        "promotion_codes",
        discounts.PROMOTION_CODE,
        lambda call: discounts.add_promotion_code(
            call.stripe.promotion_codes, call.stripe.coupons, call.params
        ),
    ),
    Operation("GET", "promotion_codes", discounts.PROMOTION_CODES, _codes),
    Operation("GET", "promotion_codes/{id}", NOTHING, lambda call: call.stripe.promotion_codes.need(call.id)),
    Operation("POST", "promotion_codes/{id}", discounts.PROMOTION_CODE_CHANGE, _change_code),
    Operation(
        "POST", "products", catalogue.PRODUCT, lambda call: catalogue.add_product(call.stripe, call.params)
    ),
    Operation("GET", "products/{id}", NOTHING, lambda call: call.stripe.products.need(call.id)),
    Operation(
        "POST",
        "products/{id}",
        catalogue.PRODUCT_CHANGE,
        lambda call: catalogue.change_product(call.stripe, call.id, call.params),
    ),
    Operation("POST", "prices", catalogue.PRICE, lambda call: catalogue.add_price(call.stripe, call.params)),
    Operation("GET", "prices/{id}", NOTHING, lambda call: call.stripe.prices.need(call.id)),
    Operation(
        "POST",
        "prices/{id}",
        catalogue.PRICE_CHANGE,
        lambda call: catalogue.change_price(call.stripe, call.id, call.params),
    ),
    Operation("GET", "events", EVENTS, lambda call: _page(call, call.stripe.events.shelf, "type")),
    Operation("GET", "events/{id}", NOTHING, lambda call: call.stripe.events.shelf.need(call.id)),
    Operation("GET", "balance", NOTHING, _balance),
)
