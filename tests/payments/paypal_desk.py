"""What the tests of PayPal's adapter hold: the adapter, a purchase to change, the sandbox behind it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from app.payments.gateway import CheckoutState, OpenedCheckout, Purchase, RefundState
from app.payments.paypal import PayPalGateway
from app.settings import Settings
from tests.support.sandbox import RunningSandbox


def paypal_settings(sandbox: RunningSandbox, **more: Any) -> Settings:
    """Settings whose PayPal is the sandbox."""
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
        "success_url": "http://127.0.0.1:8000/checkout/success",
        "cancel_url": "http://127.0.0.1:8000/checkout/cancel",
    }
    return Purchase(**(values | changes))


@dataclass
class Desk:
    """The adapter and the vendor it talks to."""

    paypal: PayPalGateway
    sandbox: RunningSandbox

    async def opened(self, **changes: Any) -> tuple[Purchase, OpenedCheckout]:
        """A checkout for `purchase(**changes)`."""
        wanted = purchase(**changes)
        return wanted, await self.paypal.open(wanted)

    async def approved(self, outcome: str = "completed", **changes: Any) -> tuple[Purchase, str]:
        """A checkout that its buyer has approved."""
        wanted, opened = await self.opened(**changes)
        self.act("approve", order_id=opened.session_id, outcome=outcome)
        return wanted, opened.session_id

    async def paid(self, outcome: str = "completed", **changes: Any) -> CheckoutState:
        """A checkout whose money was taken."""
        wanted, session_id = await self.approved(outcome, **changes)
        return await self.paypal.capture(session_id, wanted.order_id)

    async def refund(self, state: CheckoutState, amount: int, refund_id: UUID | None = None) -> RefundState:
        """Give a part of it back."""
        return await self.paypal.refund(
            state.session_id,
            state.payment_id or "",
            amount=amount,
            currency=state.currency,
            refund_id=refund_id or uuid4(),
        )

    def act(self, what: str, **wish: Any) -> Any:
        """A control call at PayPal."""
        return self.sandbox.control.call("POST", f"/paypal/{what}", wish)

    def held(self, what: str) -> list[dict[str, Any]]:
        """What PayPal holds: orders, captures, refunds, events."""
        items: list[dict[str, Any]] = self.sandbox.control.call("GET", f"/paypal/{what}")["items"]
        return items

    def chaos(self, **dial: Any) -> None:
        """Turn PayPal's dial."""
        self.sandbox.control.chaos("paypal", **dial)

    def requests(self, part: str = "", method: str = "POST") -> list[dict[str, Any]]:
        """What PayPal received, oldest first."""
        sent = self.sandbox.control.requests("paypal")
        return [one for one in sent if part in one["path"] and one["method"] == method]
