"""PayPal as a whole: what it keeps, and what happens to money."""

from __future__ import annotations

import time

import msgspec

from sandbox.paypal.authority import Authority
from sandbox.paypal.errors import not_found
from sandbox.paypal.events import Events
from sandbox.paypal.keys import Keys, Tokens
from sandbox.paypal.models import Capture, Dispute, Order, Product, Refund, now
from sandbox.settings import Settings
from sandbox.state import Collection, Store
from sandbox.webhooks import Courier


class PayPal:
    """The stand-in's state and parts."""

    def __init__(self, settings: Settings, store: Store, courier: Courier) -> None:
        self.settings = settings
        self.orders: Collection[Order] = store.collection("paypal.orders", Order)
        self.captures: Collection[Capture] = store.collection("paypal.captures", Capture)
        self.refunds: Collection[Refund] = store.collection("paypal.refunds", Refund)
        self.disputes: Collection[Dispute] = store.collection("paypal.disputes", Dispute)
        self.products: Collection[Product] = store.collection("paypal.products", Product)
        self.keys = Keys(store)
        self.tokens = Tokens(store)
        self.authority = Authority(store, settings.paypal_authority_file)
        url = f"{settings.public_url}/api/webhooks/paypal"
        self.events = Events(store, courier, self.authority, url, settings.paypal_webhook_id)

    def reset(self) -> None:
        """The state as after a first start: nothing; the authority stays, the platform trusts it."""
        for kept in (self.orders, self.captures, self.refunds, self.disputes, self.products, self.events.all):
            kept.clear()
        self.keys.expire()
        self.tokens.expire()

    def order(self, order_id: str) -> Order:
        """An order by its id; one that nobody approved in time is gone. Raises PayPalError 404."""
        order = self.orders.get(order_id)
        if order is None or (order.status == "CREATED" and order.expires <= time.time()):
            raise not_found("order_id", order_id)
        return order

    def capture(self, capture_id: str) -> tuple[Order, Capture, list[Refund]]:
        """A capture by its id, with its order and refunds. Raises PayPalError 404."""
        capture = self.captures.get(capture_id)
        if capture is None:
            raise not_found("capture_id", capture_id)
        return self.order(capture.order), capture, self.refunds_of(capture_id)

    def newest_orders(self, most: int) -> list[Order]:
        """The newest orders that can still be looked at, newest first."""
        known = [o for o in self.orders.values() if o.status != "CREATED" or o.expires > time.time()]
        return sorted(known, key=lambda order: (order.created, order.expires), reverse=True)[:most]

    def captures_of(self, order_id: str) -> list[Capture]:
        """What was captured of an order."""
        return [capture for capture in self.captures.values() if capture.order == order_id]

    def refunds_of(self, capture_id: str) -> list[Refund]:
        """What went back of a capture."""
        return [refund for refund in self.refunds.values() if refund.capture == capture_id]

    def refunds_of_order(self, order_id: str) -> list[Refund]:
        """What went back of an order."""
        return [refund for refund in self.refunds.values() if refund.order == order_id]

    def change_order(self, order: Order, **changes: str | float) -> Order:
        """The order with other values."""
        return self.orders.put(order.id, msgspec.structs.replace(order, updated=now(), **changes))

    def change_capture(self, capture: Capture, **changes: str) -> Capture:
        """The capture with other values."""
        return self.captures.put(capture.id, msgspec.structs.replace(capture, updated=now(), **changes))
