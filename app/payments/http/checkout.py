"""`/checkout`: the pack and its price, the way to the provider, and the way back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_student
from app.accounts.themselves import require_themselves
from app.core import clock
from app.core.errors import AppError, BadRequest, Invalid, NotFound, Refused, Unavailable
from app.core.ids import identifier
from app.core.middleware import CONTENT_SECURITY_POLICY
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, page, posted, see_other
from app.packs.terms import terms
from app.payments import checkout, sales, sync
from app.payments.cashier import Cashier
from app.payments.gateway import Provider, ProviderRefused, ProviderUnavailable
from app.payments.http.common import NAMES, outside
from app.payments.models import OrderStatus
from app.payments.preview import Preview, preview

Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]
Code = Annotated[str, QueryParameter(max_length=200)]
Id = Annotated[str, QueryParameter(max_length=200)]
FINAL = (OrderStatus.PAID, OrderStatus.PARTIALLY_REFUNDED, OrderStatus.REFUNDED, OrderStatus.FAILED)
ASKS_FOR = timedelta(minutes=10)
"""As long as a page that waits for a payment asks again by itself; transfers that take days are told by mail."""


@get("/checkout", guards=[requires_student], include_in_schema=False)
async def show(
    request: AppRequest, uow: Uow, viewer: Me, product_id: Id = "", code: Code = ""
) -> Response[str]:
    """What the pack is, what it costs with a code from the link applied, and how it can be paid."""
    cashier = await outside(request, uow)
    found = await preview(cashier, viewer.id, identifier(product_id, "product_id"), code.strip())
    return _page(request, cashier, viewer, found, code.strip())


@post("/checkout/code", guards=[requires_student], include_in_schema=False, status_code=200)
async def apply_code(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """The price with a code, or without one where the field was emptied. A post: its address holds no CSRF token."""
    form = await posted(request, "product_id", "code")
    product_id, code = identifier(form["product_id"], "product_id"), form["code"].strip()[:200]
    path = _path(product_id, code)
    if not is_htmx(request):
        return see_other(request, path)
    cashier = await outside(request, uow)
    found = await preview(cashier, viewer.id, product_id, code)
    response = _page(request, cashier, viewer, found, code, status=422 if found.problem else 200)
    response.headers["hx-replace-url"] = path
    return response


@post("/checkout", guards=[requires_student], include_in_schema=False)
async def create(request: AppRequest, uow: Uow, viewer: Me) -> Response[str]:
    """Keep a seat and go to the provider."""
    require_themselves(uow.principal)
    form = await posted(request, "product_id", "provider", "code")
    product_id, code = identifier(form["product_id"], "product_id"), form["code"].strip()
    cashier = await outside(request, uow)
    try:
        wish = checkout.Wish(viewer.id, product_id, _provider(form["provider"]), code)
        started = await checkout.start(cashier, wish)
    except (Invalid, Unavailable, Refused) as error:
        found = await preview(cashier, viewer.id, product_id, code)
        return _page(request, cashier, viewer, found, code, error)
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
    asks = order.status is OrderStatus.PENDING and clock.now() - order.created_at < ASKS_FOR
    if is_htmx(request) and asks:
        return Response("", status_code=204)  # nothing new: the page stays as it is, and asks again
    context = {
        "order": order,
        "reached": reached,
        "asks": asks,
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
    again = _path(order.product_id, "")
    return page(request, "payments/cancel.html", order=order, again=again, zone=viewer.time_zone)


async def _ask(cashier: Cashier, order_id: UUID) -> bool:
    """Bring the order in line with its provider; False if it couldn't be asked."""
    try:
        await sync.sync(cashier, order_id)
    except (ProviderUnavailable, ProviderRefused, Unavailable):
        return False
    return True


def _page(
    request: AppRequest,
    cashier: Cashier,
    viewer: Viewer,
    found: Preview,
    code: str,
    error: AppError | None = None,
    *,
    status: int = 200,
) -> Response[str]:
    context: dict[str, Any] = {
        "found": found,
        "form": {"code": code},
        "errors": _errors(found, error),
        "providers": [(provider, NAMES[provider]) for provider in cashier.gateways],
        "hold_minutes": terms().hold // timedelta(minutes=1),
        "zone": viewer.time_zone,
    }
    shown = error.status if error else status
    if is_htmx(request):
        return fragment(request, "payments/_checkout.html", status=shown, **context)
    response = page(request, "payments/checkout.html", status=shown, **context)
    origins = request.app.state.platform.settings.checkout_origins
    response.headers["content-security-policy"] = CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'", f"form-action 'self' {origins}"
    )
    return response


def _errors(found: Preview, error: AppError | None) -> dict[str, str]:
    """What is wrong, by field; without a field for codes it is said about the form as a whole."""
    if isinstance(error, Invalid):
        return dict(error.fields)
    if error is not None:
        return {"form": error.detail}
    return {"form" if found.loyal else "code": found.problem} if found.problem else {}


def _path(product_id: UUID, code: str) -> str:
    return f"/checkout?{urlencode({'product_id': str(product_id)} | ({'code': code} if code else {}))}"


def _provider(text: str) -> Provider:
    try:
        return Provider(text)
    except ValueError:
        raise BadRequest("provider: choose Stripe or PayPal. Nothing was charged.") from None


HANDLERS: list[ControllerRouterHandler] = [show, apply_code, create, success, cancel]
