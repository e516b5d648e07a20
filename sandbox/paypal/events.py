"""Webhooks: what happened is told to the platform, signed anew each time it is sent, and kept to be told again."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from sandbox.paypal.authority import Authority
from sandbox.paypal.models import Event, Order, new_id, now
from sandbox.state import Collection, Store
from sandbox.webhooks import Courier

KINDS = {
    "CHECKOUT.ORDER": ("checkout-order", "2.0"),
    "PAYMENT.CAPTURE": ("capture", "2.0"),
    "CUSTOMER.DISPUTE": ("dispute", ""),
}
REFUNDS = frozenset({"PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"})


class Events:
    """Everything that was told, oldest first."""

    def __init__(
        self, store: Store, courier: Courier, authority: Authority, url: str, webhook_id: str
    ) -> None:
        self.all: Collection[Event] = store.collection("paypal.events", Event)
        self._courier = courier
        self._authority = authority
        self._url = url
        self._webhook_id = webhook_id

    def tell(self, kind: str, order: Order, resource: dict[str, Any], summary: str) -> Event:
        """Keep an event about `order` and send it."""
        family, version = KINDS[kind.rpartition(".")[0]]
        body: dict[str, Any] = {
            "id": f"WH-{new_id()}-{new_id()}",
            "event_version": "1.0",
            "create_time": now(),
            "resource_type": "refund" if kind in REFUNDS else family,
            "event_type": kind,
            "summary": summary,
            "resource": resource,
        }
        if version:
            body["resource_version"] = version
        href = f"{order.base}/paypal/v1/notifications/webhooks-events/{body['id']}"
        body["links"] = [
            {"href": href, "rel": "self", "method": "GET"},
            {"href": f"{href}/resend", "rel": "resend", "method": "POST"},
        ]
        text = msgspec.json.encode(body).decode()
        event = Event(body["id"], order.base, kind, body["create_time"], text)
        self.all.put(event.id, event)
        self._send(event)
        return event

    def tell_again(self, events: list[Event], times: int, shuffle: bool) -> int:
        """Send events so many times more, in their order or none; gives the number of deliveries."""
        queue = [event for event in events for _ in range(times)]
        if shuffle:
            random.shuffle(queue)
        for event in queue:
            self._send(event)
        return len(queue)

    def _send(self, event: Event) -> None:
        body = event.body.encode()

        def headers() -> dict[str, str]:
            return self._authority.headers(event.base, self._webhook_id, body)

        self._courier.send("paypal", self._url, headers, body)
