"""What happens to an open session: its buyer pays, is declined or enters a code, the merchant or time ends it."""

from __future__ import annotations

from sandbox.stripe import discounts
from sandbox.stripe.charging import charged, settled
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.service import Stripe
from sandbox.stripe.sessions import coupon_of, priced
from sandbox.stripe.things import Thing, now


def current(stripe: Stripe, id_: str, param: str = "id") -> Thing:
    """The session as it is now: one whose time is over expires when somebody looks. Raises StripeError."""
    session = stripe.sessions.need(id_, param)
    if session["status"] == "open" and session["expires_at"] <= now():
        return _end(stripe, session)
    return session


def sweep(stripe: Stripe) -> None:
    """Expire what is over: coupons and codes each time, sessions once a second (there may be thousands)."""
    discounts.age(stripe.coupons, stripe.promotion_codes)
    if stripe.swept == now():
        return
    stripe.swept = now()
    for session in stripe.sessions.newest_first():
        current(stripe, session["id"])


def expire(stripe: Stripe, id_: str) -> Thing:
    """End a session at the merchant's wish. Raises StripeError 400 unless it is open."""
    session = current(stripe, id_)
    if session["status"] != "open":
        raise invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{session['status']}`."
        )
    return _end(stripe, session)


def _end(stripe: Stripe, session: Thing) -> Thing:
    intent = stripe.intents.get(session["payment_intent"] or "")
    if intent:
        stripe.intents.change(intent, status="canceled", canceled_at=now(), cancellation_reason="expired")
    ended = stripe.sessions.change(session, status="expired", url=None)
    stripe.events.tell("checkout.session.expired", ended)
    return ended


def enter_code(stripe: Stripe, id_: str, text: str) -> Thing:
    """The buyer enters a promotion code; an empty one takes the code off again. Raises StripeError 400."""
    session = _open(stripe, id_)
    if not session["allow_promotion_codes"]:
        raise invalid("This Checkout Session takes no promotion codes.")
    if not text.strip():
        return stripe.sessions.put(priced(stripe, session, None))
    code = discounts.active_code(stripe.promotion_codes, text)
    if code is None:
        raise invalid("This code is invalid.", "promotion_code")
    wanted = {"coupon": None, "promotion_code": code["id"]}
    return stripe.sessions.put(priced(stripe, session, wanted))


def pay(stripe: Stripe, id_: str, *, later: bool = False) -> Thing:
    """The buyer pays; `later`: by a bank transfer that is settled some day. Raises StripeError 400."""
    session = _open(stripe, id_)
    for wanted in session["discounts"]:
        coupon_of(stripe, session, wanted, session["amount_subtotal"])
    _redeem(stripe, session)
    if session["amount_total"] == 0:
        return _complete(stripe, session, payment_status="no_payment_required")
    intent = charged(stripe, session, "pending" if later else "succeeded")
    if later:
        return _complete(stripe, session, payment_intent=intent["id"])
    stripe.events.tell("payment_intent.succeeded", intent)
    return _complete(stripe, session, payment_intent=intent["id"], payment_status="paid")


def decline(stripe: Stripe, id_: str) -> Thing:
    """The buyer's card is declined; the session stays open. Raises StripeError 400."""
    session = _open(stripe, id_)
    if session["amount_total"] == 0:
        raise invalid("There is nothing to pay.")
    return stripe.sessions.change(session, payment_intent=charged(stripe, session, "failed")["id"])


def settle(stripe: Stripe, id_: str, *, succeed: bool) -> Thing:
    """What was paid by bank arrives, or does not. Raises StripeError 400 unless it is under way."""
    session = stripe.sessions.need(id_)
    intent = stripe.intents.get(session["payment_intent"] or "")
    if session["status"] != "complete" or intent is None or intent["status"] != "processing":
        raise StripeError(400, "Nothing is under way for this Checkout Session.")
    if not succeed:
        settled(stripe, session, "failed")
        stripe.events.tell("checkout.session.async_payment_failed", session)
        return session
    stripe.events.tell("payment_intent.succeeded", settled(stripe, session, "succeeded"))
    paid = stripe.sessions.change(session, payment_status="paid")
    stripe.events.tell("checkout.session.async_payment_succeeded", paid)
    return paid


def _open(stripe: Stripe, id_: str) -> Thing:
    discounts.age(stripe.coupons, stripe.promotion_codes)
    session = current(stripe, id_)
    if session["status"] != "open":
        raise invalid(f"This Checkout Session is {session['status']}.")
    return session


def _complete(stripe: Stripe, session: Thing, **members: object) -> Thing:
    done = stripe.sessions.change(session, status="complete", url=None, **members)
    stripe.events.tell("checkout.session.completed", done)
    return done


def _redeem(stripe: Stripe, session: Thing) -> None:
    """Count the use of the session's code and coupon."""
    for wanted in session["discounts"]:
        coupon_id = wanted["coupon"]
        if wanted["promotion_code"]:
            code = stripe.promotion_codes.need(wanted["promotion_code"])
            stripe.promotion_codes.change(code, times_redeemed=code["times_redeemed"] + 1)
            coupon_id = code["promotion"]["coupon"]
        coupon = stripe.coupons.need(coupon_id)
        stripe.coupons.change(coupon, times_redeemed=coupon["times_redeemed"] + 1)
