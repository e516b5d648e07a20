"""A merchant's program at PayPal's stand-in, by hand: what a client library would send."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.sandbox import RunningSandbox

RETURN = "http://127.0.0.1:8000/checkout/return?order=7"
CANCEL = "http://127.0.0.1:8000/checkout/cancel"


def euros(value: str) -> dict[str, str]:
    """An amount in euros."""
    return {"currency_code": "EUR", "value": value}


def unit(**changes: Any) -> dict[str, Any]:
    """A pack for 100 EUR less 10; `None` leaves a member out."""
    values: dict[str, Any] = {
        "custom_id": "order-7",
        "amount": {
            **euros("90.00"),
            "breakdown": {"item_total": euros("100.00"), "discount": euros("10.00")},
        },
        "items": [{"name": "Four sessions", "quantity": "1", "unit_amount": euros("100.00")}],
    } | changes
    return {name: value for name, value in values.items() if value is not None}


def order(**changes: Any) -> dict[str, Any]:
    """The order for it."""
    context = {"brand_name": "Mentorships", "return_url": RETURN, "cancel_url": CANCEL}
    values: dict[str, Any] = {
        "intent": "CAPTURE",
        "purchase_units": [unit()],
        "payment_source": {"paypal": {"experience_context": context}},
    } | changes
    return {name: value for name, value in values.items() if value is not None}


class Merchant:
    """Who holds the client's id and secret."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        answer = self.token()
        answer.raise_for_status()
        self.bearer = f"Bearer {answer.json()['access_token']}"

    def token(self, secret: str = "", grant: str = "client_credentials") -> httpx.Response:
        """Ask for an access token."""
        settings = self.sandbox.settings
        keys = (settings.paypal_client_id, secret or settings.paypal_client_secret)
        return self.sandbox.http.post("/paypal/v1/oauth2/token", auth=keys, data={"grant_type": grant})

    def send(
        self, method: str, path: str, body: Any = None, *, key: str = "", whole: bool = True
    ) -> httpx.Response:
        """One request; `body` is JSON, or bytes as they are."""
        headers = {"Authorization": self.bearer, "Content-Type": "application/json"}
        headers |= {"PayPal-Request-Id": key} if key else {}
        headers |= {"Prefer": "return=representation"} if whole else {}
        url = f"/paypal{path}"
        if isinstance(body, bytes):
            return self.sandbox.http.request(method, url, content=body, headers=headers)
        return self.sandbox.http.request(method, url, json=body, headers=headers)

    def create(self, **changes: Any) -> dict[str, Any]:
        """A new order."""
        return self._good(self.send("POST", "/v2/checkout/orders", order(**changes)))

    def get(self, order_id: str) -> dict[str, Any]:
        """An order."""
        return self._good(self.send("GET", f"/v2/checkout/orders/{order_id}"))

    def act(self, what: str, **wish: Any) -> Any:
        """A control call at PayPal."""
        return self.sandbox.control.call("POST", f"/paypal/{what}", wish)

    def capture(self, order_id: str, key: str = "") -> httpx.Response:
        """Take the money of an order."""
        return self.send("POST", f"/v2/checkout/orders/{order_id}/capture", key=key)

    def paid(self, outcome: str = "completed", **changes: Any) -> dict[str, Any]:
        """An order whose money was taken."""
        made = self.create(**changes)
        self.act("approve", order_id=made["id"], outcome=outcome)
        return self._good(self.capture(made["id"]))

    def refund(self, capture_id: str, body: Any, key: str = "") -> httpx.Response:
        """Give back (part of) a capture."""
        return self.send("POST", f"/v2/payments/captures/{capture_id}/refund", body, key=key)

    def told(self) -> list[str]:
        """The types of the events that were told, oldest first."""
        events = self.sandbox.control.call("GET", "/paypal/events")["items"]
        return [event["event_type"] for event in events]

    def _good(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code in (200, 201), answer.text
        body: dict[str, Any] = answer.json()
        return body


def capture_of(order: dict[str, Any]) -> dict[str, Any]:
    """The one capture of an order."""
    (capture,) = order["purchase_units"][0]["payments"]["captures"]
    found: dict[str, Any] = capture
    return found


def issue_of(answer: httpx.Response, status: int) -> tuple[str, str]:
    """The issue of an error answer and the member at fault."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert {"name", "message", "debug_id", "details"} <= body.keys()
    detail = body["details"][0]
    return detail["issue"], detail.get("field", "")
