"""What the handlers of payments share: the cashier, ids from addresses, and letting go of the request's connection."""

from __future__ import annotations

import re
from uuid import UUID

from app.core.errors import BadRequest
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest
from app.payments.cashier import Cashier
from app.payments.gateway import Provider

NAMES = {Provider.STRIPE: "Stripe", Provider.PAYPAL: "PayPal"}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


async def outside(request: AppRequest, uow: UnitOfWork) -> Cashier:
    """The cashier, for calls that leave the house: the request's transaction ends before, nobody waits in one."""
    await uow.commit()
    cashier: Cashier = request.app.state.platform.cashier
    return cashier


def identifier(text: str, name: str = "id") -> UUID:
    """The UUID that `text` spells out. Raises BadRequest."""
    if not _ID.fullmatch(text):
        raise BadRequest(f"{name}: that is not an id. Nothing was changed.")
    return UUID(text)


async def posted(request: AppRequest, *names: str) -> dict[str, str]:
    """The named fields of the form, "" for what is missing or no text."""
    form = await request.form()
    values = {name: form.get(name, "") for name in names}
    return {name: value.strip() if isinstance(value, str) else "" for name, value in values.items()}
