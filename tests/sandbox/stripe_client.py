"""The tests' way to Stripe's stand-in: by its own SDK, and by hand what the SDK can't send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import stripe

from tests.support.sandbox import RunningSandbox

Answer = TypeVar("Answer")
BUYER = "student-new@example.test"
URLS = {
    "success_url": "http://127.0.0.1:9/paid?id={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://127.0.0.1:9/back",
}
SESSION: dict[str, Any] = {
    "mode": "payment",
    "customer_email": BUYER,
    "line_items": [
        {
            "quantity": 1,
            "price_data": {
                "currency": "eur",
                "unit_amount": 12_000,
                "product_data": {"name": "Four sessions"},
            },
        }
    ],
    **URLS,
}


def by_sdk(sandbox: RunningSandbox, ask: Callable[[Any], Awaitable[Answer]]) -> Answer:
    """What `ask(client.v1)` gives, with a client of its own."""

    async def run() -> Answer:
        base, http = f"{sandbox.url}/stripe", stripe.HTTPXClient(timeout=5)
        client = stripe.StripeClient(
            sandbox.settings.stripe_secret_key,
            base_addresses={"api": base, "connect": base, "files": base, "meter_events": base},
            http_client=http,
            max_network_retries=0,
        )
        try:
            return await ask(client.v1)
        finally:
            await http.close_async()  # type: ignore[no-untyped-call]

    return asyncio.run(run())


def opened(sandbox: RunningSandbox, **more: Any) -> Any:
    """A checkout session for 120.00 EUR."""
    return by_sdk(sandbox, lambda v1: v1.checkout.sessions.create_async({**SESSION, **more}))


def paid(sandbox: RunningSandbox, **more: Any) -> Any:
    """A checkout session that was paid, as the control call tells it."""
    return act(sandbox, "pay", session_id=opened(sandbox, **more).id)


def found(sandbox: RunningSandbox, session_id: str, *expand: str) -> Any:
    """The session as it is now."""
    return by_sdk(
        sandbox, lambda v1: v1.checkout.sessions.retrieve_async(session_id, {"expand": list(expand)})
    )


def act(sandbox: RunningSandbox, what: str, **wish: Any) -> Any:
    """A control call at Stripe."""
    return sandbox.control.call("POST", f"/stripe/{what}", wish)


def events(sandbox: RunningSandbox, *types: str) -> list[Any]:
    """The events there were, oldest first; of some types only if they are named."""
    items = sandbox.control.call("GET", "/stripe/events")["items"]
    return [event for event in items if not types or event["type"] in types]


def by_hand(
    sandbox: RunningSandbox, path: str, body: Any = None, method: str = "POST", **headers: str
) -> httpx.Response:
    """A request as it is: `body` a form as text, or names with brackets and their values."""
    sent = {
        "Authorization": "Bearer sk_test_sandbox",
        "Content-Type": "application/x-www-form-urlencoded",
        **headers,
    }
    content = body if isinstance(body, str) else str(httpx.QueryParams(body or {}))
    if method == "GET":
        return sandbox.http.get(f"/stripe/v1/{path}?{content}", headers=sent)
    return sandbox.http.request(method, f"/stripe/v1/{path}", content=content, headers=sent)


def error_of(answer: httpx.Response, status: int = 400) -> dict[str, Any]:
    """The error in Stripe's shape."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"error"}
    error: dict[str, Any] = body["error"]
    assert error["message"]
    assert error["type"]
    return error


def flat(params: Any, name: str = "") -> dict[str, str]:
    """Nested parameters with bracketed names."""
    if isinstance(params, dict):
        pairs = params.items()
    elif isinstance(params, list):
        pairs = enumerate(params)
    else:
        text = str(params).lower() if isinstance(params, bool) else str(params)
        return {name: text}
    return {
        key: value
        for part, item in pairs
        for key, value in flat(item, f"{name}[{part}]" if name else str(part)).items()
    }
