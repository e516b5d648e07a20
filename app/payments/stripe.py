"""Stripe: one-time payments by hosted Checkout. What Stripe keeps is looked up, never assumed."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import stripe
from stripe.params.checkout import SessionCreateParams

from app.payments import stripe_webhooks
from app.payments.gateway import (
    CHECKOUT_MINUTES,
    CheckoutState,
    Delivery,
    Discount,
    OpenedCheckout,
    Provider,
    ProviderRefused,
    Purchase,
    RefundState,
)
from app.payments.stripe_calls import Params, answer, client_of, each, units
from app.payments.stripe_state import (
    checkout_of,
    discount_of,
    is_for_everybody,
    is_for_everything,
    refund_of,
    uuid_of,
)
from app.settings import Settings

LARGEST_PAGE = 100
_CODE = re.compile(r"[A-Za-z0-9-]{1,500}")
_MISSING = "resource_missing"
_KEY_TAKEN = "idempotency_error"


class StripeGateway:
    """The adapter. Each call is safe to repeat."""

    provider = Provider.STRIPE

    def __init__(self, settings: Settings) -> None:
        self._http = stripe.HTTPXClient(timeout=settings.stripe_timeout_seconds)
        self._client = client_of(settings, self._http)
        self._secret = settings.stripe_webhook_secret

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def open(self, purchase: Purchase) -> OpenedCheckout:
        """Open a checkout session that ends after CHECKOUT_MINUTES of machine time.

        Its idempotency key is the order's id. Raises ProviderUnavailable (it may exist then), ProviderRefused.
        """
        params = cast(SessionCreateParams, _session_params(purchase, int(time.time())))
        sessions = self._client.v1.checkout.sessions
        try:
            session = await answer(sessions.create_async(params, {"idempotency_key": str(purchase.order_id)}))
        except ProviderRefused as refused:
            # Asked before, with another end: what was opened then is the checkout.
            known = await self._open_session_of(purchase.order_id) if refused.code == _KEY_TAKEN else None
            if known is None:
                raise
            session = known
        return OpenedCheckout(session["id"], session["url"] or "")

    async def _open_session_of(self, order_id: UUID) -> Params | None:
        """The order's session among those that are still open."""
        since = int(time.time()) - CHECKOUT_MINUTES * 60
        sessions = self._client.v1.checkout.sessions
        found = sessions.list_async({"status": "open", "created": {"gte": since}, "limit": LARGEST_PAGE})
        async for session in each(found):
            if uuid_of(session.get("metadata"), "order_id") == order_id:
                return session
        return None

    async def find(self, session_id: str, dispute_id: str | None = None) -> CheckoutState:
        """The session with its payment's refunds and newest dispute; Stripe lists disputes, so none need be named."""
        expand = ["payment_intent.latest_charge", "discounts.promotion_code"]
        sessions = self._client.v1.checkout.sessions
        session = await answer(sessions.retrieve_async(session_id, {"expand": expand}))
        intent = session.get("payment_intent") or {}
        charge = intent.get("latest_charge") or {}
        refunds = await self._refunds(intent["id"]) if charge.get("paid") else []
        dispute = await self._dispute(intent["id"]) if charge.get("disputed") else None
        return checkout_of(session, refunds, dispute)

    async def _refunds(self, payment_id: str) -> list[Params]:
        listed = self._client.v1.refunds.list_async({"payment_intent": payment_id, "limit": LARGEST_PAGE})
        return [refund async for refund in each(listed)]

    async def _dispute(self, payment_id: str) -> Params | None:
        listed = self._client.v1.disputes.list_async({"payment_intent": payment_id, "limit": 1})
        found = (await answer(listed))["data"]
        return cast(Params, found[0]) if found else None

    async def end(self, session_id: str) -> CheckoutState:
        """Expire the session; one that isn't open any more stays what it is."""
        try:
            await answer(self._client.v1.checkout.sessions.expire_async(session_id))
        except ProviderRefused as refused:
            if refused.code == _MISSING:
                raise
        return await self.find(session_id)

    async def capture(self, session_id: str, order_id: UUID) -> CheckoutState:
        """Stripe takes the money itself."""
        return await self.find(session_id)

    async def refund(
        self, session_id: str, payment_id: str, *, amount: int, currency: str, refund_id: UUID
    ) -> RefundState:
        """Refund `amount` minor units of a payment intent, unless a refund with our `refund_id` exists already."""
        for known in await self._refunds(payment_id):
            if uuid_of(known.get("metadata"), "refund_id") == refund_id:
                return refund_of(known)
        session = await answer(self._client.v1.checkout.sessions.retrieve_async(session_id))
        metadata = {"refund_id": str(refund_id), **_only(session.get("metadata"), "order_id")}
        made = self._client.v1.refunds.create_async(
            {"payment_intent": payment_id, "amount": units(amount, currency), "metadata": metadata},
            {"idempotency_key": str(refund_id)},
        )
        return refund_of(await answer(made))

    async def publish(
        self, product_id: UUID, *, title: str, amount: int, currency: str, replaces: str | None
    ) -> str:
        """Keep the product at Stripe under our own id, with a price; returns the price's id.

        What a price costs can't be changed there: another amount gets another price, and the old one is closed.
        """
        await self._keep_product(str(product_id), title)
        unit, counted = currency.lower(), units(amount, currency)
        old = await self._price(replaces) if replaces else None
        if old and old["active"] and (old["currency"], old["unit_amount"]) == (unit, counted):
            return str(old["id"])
        # The key names what is replaced, so that a price which comes back later is made anew.
        key = f"{product_id}-{unit}-{counted}-after-{replaces or 'none'}"
        prices = self._client.v1.prices
        made = prices.create_async(
            {"product": str(product_id), "currency": unit, "unit_amount": counted}, {"idempotency_key": key}
        )
        price = await answer(made)
        if old:
            await answer(prices.update_async(old["id"], {"active": False}))
        return str(price["id"])

    async def _keep_product(self, product_id: str, title: str) -> None:
        products = self._client.v1.products
        try:
            await answer(products.update_async(product_id, {"name": title}))
        except ProviderRefused as refused:
            if refused.code != _MISSING:
                raise
            await answer(
                products.create_async(
                    {"id": product_id, "name": title, "metadata": {"product_id": product_id}}
                )
            )

    async def _price(self, price_id: str) -> Params | None:
        try:
            return await answer(self._client.v1.prices.retrieve_async(price_id))
        except ProviderRefused as refused:
            if refused.code != _MISSING:
                raise
            return None

    async def discount(self, code: str) -> Discount | None:
        """The discount behind a promotion code that anybody may use for anything now; None for every other code.

        Letters count without regard to case. Raises ProviderUnavailable, ProviderRefused.
        """
        if not _CODE.fullmatch(code.strip()):
            return None
        listed = self._client.v1.promotion_codes.list_async(
            {
                "code": code.strip(),
                "active": True,
                "limit": 1,
                "expand": ["data.promotion.coupon.applies_to"],
            }
        )
        for found in (await answer(listed))["data"]:
            coupon = found["promotion"]["coupon"]
            if coupon and coupon["valid"] and is_for_everybody(found, coupon):
                return discount_of(
                    coupon,
                    code=found["code"],
                    reference=found["id"],
                    restrictions=found["restrictions"],
                    is_counted=bool(found["max_redemptions"] or coupon["max_redemptions"]),
                )
        return None

    async def coupon(self, coupon_id: str) -> Discount:
        """A coupon that we apply by ourselves. Raises ProviderUnavailable, and ProviderRefused if it can't be used."""
        coupon = await answer(self._client.v1.coupons.retrieve_async(coupon_id, {"expand": ["applies_to"]}))
        if not coupon["valid"]:
            raise ProviderRefused("coupon_expired", f"coupon {coupon_id} is no longer valid")
        if not is_for_everything(coupon):
            raise ProviderRefused("coupon_restricted", f"coupon {coupon_id} is limited to some products")
        return discount_of(coupon, code=coupon["id"], reference=coupon["id"])

    async def check(self) -> None:
        """Ask for our balance, once."""
        await answer(self._client.v1.balance.retrieve_async(None, {"max_network_retries": 0}))

    async def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Delivery:
        """Read a webhook: its signature, a stamp of at most 5 min either way, its subject. Raises ForgedWebhook."""
        return stripe_webhooks.verified(body, headers, self._secret, now)


def _session_params(purchase: Purchase, now: int) -> dict[str, Any]:
    """The parameters of a checkout session that is opened at `now` (epoch seconds)."""
    metadata = {
        "order_id": str(purchase.order_id),
        "user_id": str(purchase.user_id),
        "pack_id": str(purchase.product_id),
        "mentor_id": str(purchase.mentor_id),
    }
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": [_line(purchase)],
        "customer_email": purchase.email,
        "client_reference_id": str(purchase.order_id),
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "success_url": purchase.success_url,
        "cancel_url": purchase.cancel_url,
        "expires_at": now + CHECKOUT_MINUTES * 60,
    }
    discount = purchase.discount
    if discount:
        kind = "coupon" if discount.is_coupon else "promotion_code"
        return params | {"discounts": [{kind: discount.provider_reference}]}
    return params | ({"allow_promotion_codes": True} if purchase.allow_codes else {})


def _line(purchase: Purchase) -> dict[str, Any]:
    if purchase.price_id:
        return {"quantity": 1, "price": purchase.price_id}
    product = {"name": purchase.title, "description": f"Sessions with {purchase.mentor_name}"}
    amount = units(purchase.amount, purchase.currency)
    price = {"currency": purchase.currency.lower(), "unit_amount": amount, "product_data": product}
    return {"quantity": 1, "price_data": price}


def _only(metadata: Mapping[str, str] | None, name: str) -> dict[str, str]:
    return {name: metadata[name]} if metadata and name in metadata else {}
