"""What the tests of Stripe's adapter hold: the adapter, a purchase to change, the sandbox behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.payments.gateway import CheckoutState, OpenedCheckout, Purchase
from app.payments.stripe import StripeGateway
from app.settings import Settings
from tests.support.sandbox import RunningSandbox


def stripe_settings(sandbox: RunningSandbox, **more: Any) -> Settings:
    """Settings whose Stripe is the sandbox."""
    return dataclasses.replace(Settings.from_env(sandbox.platform_settings()), **more)


def purchase(**changes: Any) -> Purchase:
    """A pack for 120.00 EUR, ordered by somebody new."""
    values: dict[str, Any] = {
        "order_id": uuid4(),
        "user_id": uuid4(),
        "product_id": uuid4(),
        "mentor_id": uuid4(),
        "email": "student-new@example.test",
        "title": "Four sessions",
        "mentor_name": "Demo Mentor",
        "amount": 12_000,
        "currency": "EUR",
        "success_url": "http://127.0.0.1:8000/checkout/success?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:8000/checkout/cancel",
    }
    return Purchase(**(values | changes))


@dataclass
class Desk:
    """The adapter and the vendor it talks to."""

    stripe: StripeGateway
    sandbox: RunningSandbox

    async def opened(self, **changes: Any) -> OpenedCheckout:
        """A checkout for `purchase(**changes)`."""
        return await self.stripe.open(purchase(**changes))

    async def paid(self, **changes: Any) -> CheckoutState:
        """A checkout that its buyer has paid."""
        opened = await self.opened(**changes)
        self.act("pay", session_id=opened.session_id)
        return await self.stripe.find(opened.session_id)

    async def refund(self, state: CheckoutState, amount: int, refund_id: UUID | None = None) -> Any:
        """Give a part of it back."""
        return await self.stripe.refund(
            state.session_id,
            state.payment_id or "",
            amount=amount,
            currency=state.currency,
            refund_id=refund_id or uuid4(),
        )

    def act(self, what: str, **wish: Any) -> Any:
        """A control call at Stripe."""
        return self.sandbox.control.call("POST", f"/stripe/{what}", wish)

    def api(self, path: str, /, **params: Any) -> Any:
        """Make something at Stripe as the merchant does; nested names are written with brackets."""
        key = {"Authorization": f"Bearer {self.sandbox.settings.stripe_secret_key}"}
        answer = self.sandbox.http.post(f"/stripe/v1/{path}", data=params, headers=key)
        answer.raise_for_status()
        return answer.json()

    def read(self, path: str) -> Any:
        """What Stripe has at a path below /v1."""
        key = {"Authorization": f"Bearer {self.sandbox.settings.stripe_secret_key}"}
        answer = self.sandbox.http.get(f"/stripe/v1/{path}", headers=key)
        answer.raise_for_status()
        return answer.json()

    def requests(self, part: str = "", method: str = "POST") -> list[dict[str, Any]]:
        """What Stripe received, oldest first."""
        sent = self.sandbox.control.requests("stripe")
        return [one for one in sent if part in one["path"] and one["method"] == method]


@pytest.fixture
async def desk(sandbox: RunningSandbox) -> AsyncIterator[Desk]:
    """The adapter in front of a fresh sandbox."""
    gateway = StripeGateway(stripe_settings(sandbox))
    yield Desk(gateway, sandbox)
    await gateway.close()
