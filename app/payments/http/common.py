"""What the handlers of payments share: the providers' names, the cashier, and letting go of the request's connection."""

from __future__ import annotations

from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest
from app.payments.cashier import Cashier
from app.payments.gateway import Provider

NAMES = {Provider.STRIPE: "Stripe", Provider.PAYPAL: "PayPal"}


async def outside(request: AppRequest, uow: UnitOfWork) -> Cashier:
    """The cashier, for calls that leave the house: the request's transaction ends before, nobody waits in one."""
    await uow.commit()
    cashier: Cashier = request.app.state.platform.cashier
    return cashier
