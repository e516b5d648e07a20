"""`/checkout`: the pack and its price, the way to the provider, and the way back."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_student
from app.core.errors import AppError, BadRequest, Invalid, NotFound, Refused, Unavailable
from app.core.middleware import CONTENT_SECURITY_POLICY
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, page, see_other
from app.payments import checkout, sales, sync
from app.payments.cashier import Cashier
from app.payments.gateway import Provider, ProviderRefused, ProviderUnavailable
from app.payments.http.common import NAMES, identifier, outside, posted
from app.payments.models import OrderStatus
from app.payments.preview import preview

Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]
Code = Annotated[str, QueryParameter(max_length=200)]
Id = Annotated[str, QueryParameter(max_length=200)]
FINAL = (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED, OrderStatus.REFUNDED, OrderStatus.FAILED)


@get("/checkout", guards=[requires_student], include_in_schema=False)
async def show(
    request: AppRequest, uow: Uow, viewer: Me, product_id: Id = "", code: Code = ""
) -> Response[str]:
    """What the pack is, what it costs with a code from the link applied, and how it can be paid."""
    cashier = await outside(request, uow)
    return await _page(request, cashier, viewer, identifier(product_id, "product_id"), code.strip())


@post("/checkout", guards=[requires_student], include_in_schema=False)
async def create(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Keep a seat and go to the provider."""
    form = await posted(request, "product_id", "provider", "code")
    product_id = identifier(form["product_id"], "product_id")
    cashier = await outside(request, uow)
    try:
        wish = checkout.Wish(viewer.id, product_id, _provider(form["provider"]), form["code"])
        started = await checkout.start(cashier, wish)
    except (Invalid, Unavailable, Refused) as error:
        return await _page(request, cashier, viewer, product_id, form["code"], error)
    return see_other(request, started.url)


@get("/checkout/success", guards=[requires_student], include_in_schema=False)
async def success(request: AppRequest, uow: Uow, viewer: Me, order_id: Id = "") -> Response[str]:
    """Back from the provider: ask it what happened, whether or not a webhook told already."""
    id_ = identifier(order_id, "order_id")
    order = await sales.order(uow.session, id_)
    if order.student_id != viewer.id:
        raise NotFound
    reached = True
    if order.status not in FINAL:
        reached = await _ask(await outside(request, uow), id_)
        order = await sales.order(uow.session, id_)
    context = {
        "order": order,
        "reached": reached,
        "zone": viewer.time_zone,
        "provider_name": NAMES[order.provider],
    }
    if is_htmx(request):
        return fragment(request, "payments/_outcome.html", **context)
    return page(request, "payments/success.html", **context)


@get("/checkout/cancel", guards=[requires_student], include_in_schema=False)
async def cancel(request: AppRequest, uow: Uow, viewer: Me, order_id: Id = "") -> Response[str]:
    """Back without having paid: the seat is given back, the pack can be bought again."""
    id_ = identifier(order_id, "order_id")
    await checkout.walk_away(await outside(request, uow), viewer.id, id_)
    order = await sales.order(uow.session, id_)
    again = f"/checkout?{urlencode({'product_id': str(order.product_id)})}"
    return page(request, "payments/cancel.html", order=order, again=again, zone=viewer.time_zone)


async def _ask(cashier: Cashier, order_id: UUID) -> bool:
    """Bring the order in line with its provider; False if it couldn't be asked."""
    try:
        await sync.sync(cashier, order_id)
    except (ProviderUnavailable, ProviderRefused, Unavailable):
        return False
    return True


async def _page(
    request: AppRequest,
    cashier: Cashier,
    viewer: Viewer,
    product_id: UUID,
    code: str,
    error: AppError | None = None,
) -> Response[str]:
    found = await preview(cashier, viewer.id, product_id, code)
    errors: dict[str, str] = {"code": found.problem} if found.problem else {}
    if isinstance(error, Invalid):
        errors = dict(error.fields)
    elif error is not None:
        errors = {"form": error.detail}
    context: dict[str, Any] = {
        "found": found,
        "form": {"code": code},
        "errors": errors,
        "providers": [(provider, NAMES[provider]) for provider in cashier.gateways],
        "zone": viewer.time_zone,
    }
    response = page(request, "payments/checkout.html", status=error.status if error else 200, **context)
    origins = request.app.state.platform.settings.checkout_origins
    response.headers["content-security-policy"] = CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'", f"form-action 'self' {origins}"
    )
    return response


def _provider(text: str) -> Provider:
    try:
        return Provider(text)
    except ValueError:
        raise BadRequest("provider: choose Stripe or PayPal. Nothing was charged.") from None


HANDLERS: list[ControllerRouterHandler] = [show, create, success, cancel]
