"""PayPal as the platform uses it: one order a checkout, captured by us once its buyer approved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.payments import paypal_others
from app.payments.gateway import (
    CheckoutState,
    CheckoutStatus,
    Delivery,
    OpenedCheckout,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    Purchase,
    RefundState,
)
from app.payments.paypal_amounts import UnreadableAmount, money_of
from app.payments.paypal_certificates import Certificates
from app.payments.paypal_state import (
    delivery_of,
    dispute_of,
    gone,
    is_about,
    refund_of,
    refunds_of,
    state_of,
)
from app.payments.paypal_transport import Transport
from app.payments.paypal_webhooks import event_of
from app.settings import Settings

UNKNOWN = "INVALID_RESOURCE_ID"
WHOLE = "return=representation"
# PayPal's ways to say that this buyer's money won't come with this approval.
_DECLINED = frozenset(
    {
        "INSTRUMENT_DECLINED",
        "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
        "PAYER_ACCOUNT_RESTRICTED",
        "PAYER_CANNOT_PAY",
        "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING",
        "TRANSACTION_LIMIT_EXCEEDED",
        "TRANSACTION_REFUSED",
    }
)
_NOT_NOW = frozenset({"ORDER_ALREADY_CAPTURED", "ORDER_NOT_APPROVED", "PAYER_ACTION_REQUIRED", UNKNOWN})
_UNDECIDED = (CheckoutStatus.OPEN, CheckoutStatus.APPROVED)


class PayPalGateway:
    """The adapter; see `Gateway` for what each call promises."""

    provider = Provider.PAYPAL

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._transport = Transport(settings)
        self._certificates = Certificates(settings)

    async def open(self, purchase: Purchase) -> OpenedCheckout:
        """Create an order and give the address where its buyer approves it.

        PayPal takes no amount of 0: a discount must leave something to pay.
        """
        options = {
            "body": self._order_of(purchase),
            "paypal_request_id": str(purchase.order_id),
            "prefer": WHOLE,
        }
        order = await self._transport.call(lambda client: client.orders.create_order(options))
        for link in order.get("links", []):
            if link.get("rel") in ("payer-action", "approve"):
                return OpenedCheckout(str(order["id"]), str(link["href"]))
        raise ProviderUnavailable(f"order {order.get('id')} has no address to approve it")

    async def find(self, session_id: str, dispute_id: str | None = None) -> CheckoutState:
        """The order as it is; one that PayPal forgot, as it does when nobody approved it, is `expired`.

        The amounts of a forgotten order are 0 and its currency is empty. The code of a discount isn't kept there.
        """
        order = await self._order(session_id)
        if order is None:
            return gone(session_id)
        state = _read(order)
        return await self._with_dispute(state, dispute_id) if dispute_id else state

    async def end(self, session_id: str) -> CheckoutState:
        """The order as it is: PayPal can't end one, and none is paid unless we capture it."""
        return await self.find(session_id)

    async def capture(self, session_id: str, order_id: UUID) -> CheckoutState:
        """Take the money of an approved order; its state tells what became of it.

        Raises ProviderUnavailable when nobody knows whether it was taken: it may be called again.
        """
        options = {"id": session_id, "paypal_request_id": f"{order_id}-capture", "prefer": WHOLE}
        try:
            return _read(await self._transport.call(lambda client: client.orders.capture_order(options)))
        except ProviderUnavailable:
            state = await self.find(session_id)
            if state.status in _UNDECIDED:
                raise
            return state
        except ProviderRefused as error:
            if error.code in _NOT_NOW:
                return await self.find(session_id)
            if error.code in _DECLINED:
                return replace(await self.find(session_id), status=CheckoutStatus.DECLINED)
            raise

    async def refund(
        self, session_id: str, payment_id: str, *, amount: int, currency: str, refund_id: UUID
    ) -> RefundState:
        """Refund a capture, unless the order shows that this refund was made.

        It carries our id twice: PayPal gives back nothing twice under one `invoice_id`, also after it forgot the
        request's own id.
        """
        made = await self._made(session_id, refund_id)
        if made:
            return made
        ours = {"custom_id": str(refund_id), "invoice_id": str(refund_id)}
        options = {
            "capture_id": payment_id,
            "body": {"amount": money_of(amount, currency), **ours},
            "paypal_request_id": str(refund_id),
            "prefer": WHOLE,
        }
        try:
            refund = await self._transport.call(
                lambda client: client.payments.refund_captured_payment(options)
            )
        except ProviderUnavailable:
            made = await self._made(session_id, refund_id)
        except ProviderRefused as error:
            made = await self._made(session_id, refund_id) if error.code == "DUPLICATE_INVOICE_ID" else None
            if made is None:
                raise
        else:
            return refund_of(refund)
        if made is None:
            raise ProviderUnavailable(f"the answer to refund {refund_id} was lost")
        return made

    async def publish(
        self, product_id: UUID, *, title: str, amount: int, currency: str, replaces: str | None
    ) -> str:
        """Add the product to the catalogue, once: its entry has no price, and orders bring their own title."""
        if replaces:
            return replaces
        body = {"name": title[:127], "type": "SERVICE"}
        product = await self._transport.call(
            lambda client: paypal_others.create_product(client, f"{product_id}-product", body)
        )
        return str(product["id"])

    async def check(self) -> None:
        """Ask for an access token."""
        await self._transport.check()

    async def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Delivery:
        """Read a webhook whose signature holds; nobody but its certificate's host is asked, and that rarely.

        Raises ProviderUnavailable if the certificate can't be had.
        """
        webhook_id = self._settings.paypal_webhook_id
        return delivery_of(await event_of(self._certificates, webhook_id, body, headers, now))

    async def close(self) -> None:
        """Stop what runs in the background."""
        self._transport.close()

    async def _order(self, session_id: str) -> dict[str, Any] | None:
        """The whole order, None if PayPal has none with this id (any more)."""
        try:
            return await self._transport.call(lambda client: client.orders.get_order({"id": session_id}))
        except ProviderRefused as error:
            if error.code == UNKNOWN and session_id.isalnum() and session_id.isupper():
                return None
            raise

    async def _made(self, session_id: str, refund_id: UUID) -> RefundState | None:
        order = await self._order(session_id)
        found = [refund_of(refund) for refund in refunds_of(order or {})]
        return next((refund for refund in found if refund.refund_id == refund_id), None)

    async def _with_dispute(self, state: CheckoutState, dispute_id: str) -> CheckoutState:
        """The state with a dispute, if it is one about this checkout's payment."""
        try:
            dispute = await self._transport.call(lambda client: paypal_others.get_dispute(client, dispute_id))
        except ProviderRefused as error:
            if error.code == UNKNOWN:
                return state
            raise
        if state.payment_id is None or not is_about(dispute, [state.payment_id]):
            return state
        return replace(state, dispute=dispute_of(dispute), dispute_id=dispute_id)

    def _order_of(self, purchase: Purchase) -> dict[str, Any]:
        """The order to create: one item at its full price, less our discount."""
        currency = purchase.currency
        off = purchase.discount.off(purchase.amount, currency) if purchase.discount else 0
        breakdown = {"item_total": money_of(purchase.amount, currency)}
        if off:
            breakdown["discount"] = money_of(off, currency)
        item = {
            "name": purchase.title[:127],
            "quantity": "1",
            "unit_amount": money_of(purchase.amount, currency),
            "sku": str(purchase.product_id),
            "category": "DIGITAL_GOODS",
        }
        unit = {
            "custom_id": str(purchase.order_id),
            "description": f"{purchase.title} with {purchase.mentor_name}"[:127],
            "amount": {**money_of(purchase.amount - off, currency), "breakdown": breakdown},
            "items": [item],
        }
        experience = {
            "brand_name": self._settings.brand_name[:127],
            "shipping_preference": "NO_SHIPPING",
            "user_action": "PAY_NOW",
            "return_url": purchase.success_url,
            "cancel_url": purchase.cancel_url,
        }
        source = {"paypal": {"experience_context": experience}}
        return {"intent": "CAPTURE", "purchase_units": [unit], "payment_source": source}


def _read(order: dict[str, Any]) -> CheckoutState:
    """The order's state. Raises ProviderUnavailable for one that can't be read."""
    try:
        return state_of(order)
    except (KeyError, UnreadableAmount) as error:
        raise ProviderUnavailable(f"PayPal's order can't be read: {error!r}") from error
