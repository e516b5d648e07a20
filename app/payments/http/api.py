"""The JSON interface of buying: start a checkout, see what became of it; the addresses that providers send people to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_student
from app.accounts.themselves import require_themselves
from app.core.errors import NotFound, Unavailable
from app.core.ids import identifier
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, see_other
from app.payments import checkout, sales, sync
from app.payments.gateway import Provider, ProviderRefused, ProviderUnavailable
from app.payments.http.common import outside
from app.payments.models import OrderStatus

Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]
Id = Annotated[str, QueryParameter(max_length=200)]


class CheckoutWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pack to buy; `code` is a promotion code."""

    product_id: str
    code: str = ""


class StartedCheckout(msgspec.Struct, frozen=True):
    """An order, and where it is paid."""

    order_id: UUID
    url: str


class OrderState(msgspec.Struct, frozen=True):
    """What became of an order. Amounts are minor units of `currency`; `pack_id` once there is a pack."""

    order_id: UUID
    status: OrderStatus
    pack_id: UUID | None
    currency: str
    original_amount: int
    discount_amount: int
    tax_amount: int
    total_amount: int
    paid_at: datetime | None


class Problem(msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457): `code` for programs, `detail` for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str


PROBLEMS: Final = {
    status: ResponseSpec(Problem, description=text, media_type="application/problem+json")
    for status, text in {
        400: "malformed",
        404: "unknown, or not yours",
        409: "no seat is free",
        422: "the code isn't valid",
        503: "the provider can't be reached",
    }.items()
}


@post("/api/checkout/stripe", operation_id="checkout_stripe", guards=[requires_student], responses=PROBLEMS)
async def stripe(request: AppRequest, uow: Uow, viewer: Me, data: JSONBody[CheckoutWish]) -> StartedCheckout:
    """Keep a seat and open a checkout at Stripe."""
    return await _start(request, uow, viewer, data, Provider.STRIPE)


@post("/api/checkout/paypal", operation_id="checkout_paypal", guards=[requires_student], responses=PROBLEMS)
async def paypal(request: AppRequest, uow: Uow, viewer: Me, data: JSONBody[CheckoutWish]) -> StartedCheckout:
    """Keep a seat and open an order at PayPal."""
    return await _start(request, uow, viewer, data, Provider.PAYPAL)


@get("/api/checkout/verify", operation_id="checkout_verify", guards=[requires_student], responses=PROBLEMS)
async def verify(request: AppRequest, uow: Uow, viewer: Me, order_id: Id) -> OrderState:
    """Ask the provider about an order of one's own, and act on the answer."""
    id_ = identifier(order_id, "order_id")
    if (await sales.order(uow.session, id_)).student_id != viewer.id:
        raise NotFound
    try:
        await sync.sync(await outside(request, uow), id_)
    except (ProviderUnavailable, ProviderRefused) as error:
        raise Unavailable("The provider can't be asked right now; nothing was changed.") from error
    found: Any = await sales.order(uow.session, id_)
    names = (name for name in OrderState.__struct_fields__ if name != "order_id")
    return OrderState(order_id=found.id, **{name: getattr(found, name) for name in names})


@get("/api/checkout/success", include_in_schema=False)
async def back_from_paying(request: AppRequest, order_id: Id = "") -> Response[str]:
    """Where providers send who paid: on to the page."""
    return see_other(request, f"/checkout/success?{urlencode({'order_id': order_id})}")


@get("/api/checkout/cancel", include_in_schema=False)
async def back_without_paying(request: AppRequest, order_id: Id = "") -> Response[str]:
    """Where providers send who turned back: on to the page."""
    return see_other(request, f"/checkout/cancel?{urlencode({'order_id': order_id})}")


async def _start(
    request: AppRequest, uow: UnitOfWork, viewer: Viewer, data: CheckoutWish, provider: Provider
) -> StartedCheckout:
    require_themselves(uow.principal)
    product_id = identifier(data.product_id, "product_id")
    wish = checkout.Wish(viewer.id, product_id, provider, data.code)
    started = await checkout.start(await outside(request, uow), wish)
    return StartedCheckout(started.order_id, started.url)


HANDLERS: list[ControllerRouterHandler] = [
    stripe,
    paypal,
    verify,
    back_from_paying,
    back_without_paying,
]
