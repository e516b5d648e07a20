"""Events: kept, and delivered to the platform's webhook with a fresh signature each time."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from stripe import WebhookSignature

from sandbox.settings import Settings
from sandbox.stripe.things import Shelf, Thing, new_id, now, rendered
from sandbox.webhooks import Courier

API_VERSION = "2026-10-28.endive"
PATH = "/api/webhooks/stripe"


class Events:
    """What happened, and telling the platform of it."""

    def __init__(self, shelf: Shelf, courier: Courier, settings: Settings) -> None:
        self.shelf = shelf
        self._courier = courier
        self._url = settings.public_url.rstrip("/") + PATH
        self._secret = settings.stripe_webhook_secret

    def tell(self, type_: str, thing: Thing, before: Thing | None = None) -> Thing:
        """Keep and deliver an event about a thing as it is now; `before`: members that had other values."""
        data: dict[str, Any] = {"object": rendered(thing, (), {})}
        if before is not None:
            data["previous_attributes"] = before
        event = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": type_,
        }
        self.shelf.put(event)
        self.deliver(event)
        return event

    def deliver(self, event: Thing) -> None:
        """Deliver an event, as often as this is called; each attempt is signed with the time it is made at."""
        body = msgspec.json.encode(event)

        def headers() -> dict[str, str]:
            signature = WebhookSignature.generate_signature_header(body.decode(), self._secret)
            return {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}

        self._courier.send("stripe", self._url, headers, body)

    def redeliver(self, events: list[Thing], times: int, shuffle: bool) -> int:
        """Deliver events again, each so many times; gives the number of deliveries."""
        copies = events * times
        if shuffle:
            random.shuffle(copies)
        for event in copies:
            self.deliver(event)
        return len(copies)
