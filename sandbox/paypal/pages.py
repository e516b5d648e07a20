"""PayPal's page for the buyer: approve an order, in one of several ways, or go back."""

from __future__ import annotations

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.http import HttpRequest, HttpResponse, form, see_other
from sandbox.pages import Pages
from sandbox.paypal import orders
from sandbox.paypal.errors import PayPalError
from sandbox.paypal.models import Order, Outcome
from sandbox.paypal.service import PayPal

DECISIONS: dict[str, Outcome] = {"approve": "completed", "declined": "declined", "pending": "pending"}


def can_approve(order: Order) -> bool:
    """True while the buyer may (still, or after a declined instrument again) choose how to pay."""
    return order.status == "CREATED" or (order.status == "APPROVED" and order.outcome == "declined")


@get("/approve/{order_id:str}")
async def show_approval(
    paypal: NamedDependency[PayPal], pages: NamedDependency[Pages], order_id: FromPath[str]
) -> HttpResponse:
    """What is to be paid, and the ways to go on."""
    try:
        order = paypal.order(order_id)
    except PayPalError:
        return pages.show("paypal/missing.html", 404, order_id=order_id)
    return _asking(paypal, pages, order)


@post("/approve/{order_id:str}")
async def decide(
    request: HttpRequest,
    paypal: NamedDependency[PayPal],
    pages: NamedDependency[Pages],
    order_id: FromPath[str],
) -> HttpResponse:
    """Do what the buyer chose and send the browser back to the platform."""
    try:
        order = paypal.order(order_id)
    except PayPalError:
        return pages.show("paypal/missing.html", 404, order_id=order_id)
    decision = (await form(request)).get("decision", "")
    if decision == "back":
        return see_other(orders.go_back(order))
    if decision not in DECISIONS or not can_approve(order):
        return _asking(paypal, pages, order, 422)
    return see_other(orders.approve(paypal, order, DECISIONS[decision]))


def _asking(paypal: PayPal, pages: Pages, order: Order, status: int = 200) -> HttpResponse:
    return pages.show(
        "paypal/approve.html",
        status,
        order=order,
        amount=order.unit["amount"],
        discount=order.unit["amount"].get("breakdown", {}).get("discount"),
        items=order.unit.get("items", []),
        payments=[capture.status for capture in paypal.captures_of(order.id)],
        can_approve=can_approve(order),
        back=orders.go_back(order),
    )


HANDLERS = [show_approval, decide]
