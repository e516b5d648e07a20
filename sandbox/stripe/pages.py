"""Stripe's pages for people: the hosted checkout, and a list of checkouts."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.http import HttpRequest, HttpResponse, form, see_other
from sandbox.pages import Pages
from sandbox.stripe import buyer
from sandbox.stripe.charging import DECLINED
from sandbox.stripe.errors import StripeError
from sandbox.stripe.money import shown
from sandbox.stripe.service import Stripe
from sandbox.stripe.things import Thing

SHOWN = 50
PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def is_page(path: str) -> bool:
    """True for the pages below /stripe; the rest is for programs."""
    return path == "/checkouts" or path.startswith("/pay/")


@get("/checkouts")
async def checkouts(stripe: NamedDependency[Stripe], pages: NamedDependency[Pages]) -> HttpResponse:
    """The newest checkouts, and the codes there are."""
    buyer.sweep(stripe)
    sessions = stripe.sessions.newest_first()
    return pages.show(
        "stripe/checkouts.html",
        sessions=[_facts(session) for session in sessions[:SHOWN]],
        codes=[code["code"] for code in stripe.promotion_codes.newest_first() if code["active"]],
        coupons=[coupon["id"] for coupon in stripe.coupons.newest_first()],
    )


@get("/pay/{session_id:str}")
async def pay_page(
    stripe: NamedDependency[Stripe], pages: NamedDependency[Pages], session_id: FromPath[str]
) -> HttpResponse:
    """What is bought, and the ways to pay or not to."""
    return _page(stripe, pages, session_id)


@post("/pay/{session_id:str}")
async def act(
    request: HttpRequest,
    stripe: NamedDependency[Stripe],
    pages: NamedDependency[Pages],
    session_id: FromPath[str],
) -> HttpResponse:
    """Pay, be declined, enter a code or go back; what can't be done is said on the page."""
    values = await form(request)
    try:
        location = _carry_out(stripe, session_id, values)
    except StripeError as error:
        return _page(stripe, pages, session_id, error.message, 422)
    return see_other(location)


def _carry_out(stripe: Stripe, id_: str, values: dict[str, str]) -> str:
    """Do what the form says; gives where to go next. Raises StripeError."""
    match values.get("do"):
        case "pay":
            return success(buyer.pay(stripe, id_))
        case "later":
            return success(buyer.pay(stripe, id_, later=True))
        case "decline":
            buyer.decline(stripe, id_)
            raise StripeError(402, DECLINED["message"])
        case "code":
            buyer.enter_code(stripe, id_, values.get("code", ""))
        case "back":
            return str(buyer.current(stripe, id_)["cancel_url"] or f"/stripe/pay/{id_}")
        case other:
            raise StripeError(400, f"There is nothing called {other!r} to do here.")
    return f"/stripe/pay/{id_}"


def success(session: Thing) -> str:
    """Where a buyer who has paid is sent."""
    return str(session["success_url"]).replace(PLACEHOLDER, session["id"])


def _page(stripe: Stripe, pages: Pages, id_: str, problem: str = "", status: int = 200) -> HttpResponse:
    try:
        session = buyer.current(stripe, id_)
    except StripeError:
        return pages.show("stripe/missing.html", 404)
    if session["status"] != "open":
        return pages.show("stripe/closed.html", status, session=_facts(session), problem=problem)
    return pages.show(
        "stripe/pay.html", status, problem=problem, session=_facts(session), **_sums(stripe, session)
    )


def _facts(session: Thing) -> dict[str, Any]:
    """A checkout as a page tells it."""
    first = session["_line_items"]["data"][0]
    return {
        "id": session["id"],
        "title": first["description"],
        "status": session["status"],
        "payment_status": session["payment_status"],
        "email": session["customer_email"] or "",
        "total": shown(session["amount_total"], session["currency"]),
        "free": session["amount_total"] == 0,
        "success": success(session),
        "cancel": session["cancel_url"],
    }


def _sums(stripe: Stripe, session: Thing) -> dict[str, Any]:
    unit, off = session["currency"], session["total_details"]["amount_discount"]
    return {
        "lines": [
            (line["description"], line["quantity"], shown(line["amount_subtotal"], unit))
            for line in session["_line_items"]["data"]
        ],
        "subtotal": shown(session["amount_subtotal"], unit),
        "off": shown(off, unit) if off else "",
        "code": _code(stripe, session),
        "takes_codes": bool(session["allow_promotion_codes"]),
    }


def _code(stripe: Stripe, session: Thing) -> str:
    """What the discount in force is called."""
    for wanted in session["discounts"]:
        if wanted["promotion_code"]:
            return str(stripe.promotion_codes.need(wanted["promotion_code"])["code"])
        coupon = stripe.coupons.need(wanted["coupon"])
        return str(coupon["name"] or coupon["id"])
    return ""


HANDLERS = [checkouts, pay_page, act]
