"""Where providers speak to us, and whether they answer."""

from __future__ import annotations

import logging

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from app.core.errors import BadRequest, NotFound, Unavailable
from app.core.inbox import ForgedWebhook
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest
from app.payments import webhooks
from app.payments.gateway import Provider, ProviderRefused, ProviderUnavailable
from app.payments.http.common import outside

logger = logging.getLogger(__name__)


@post("/api/webhooks/stripe", operation_id="stripe_webhook", exclude_from_csrf=True, status_code=200)
async def stripe(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> dict[str, bool]:
    """A delivery from Stripe: 200 once it is kept, 400 if it isn't Stripe's."""
    return await _receive(request, uow, Provider.STRIPE)


@post("/api/webhooks/paypal", operation_id="paypal_webhook", exclude_from_csrf=True, status_code=200)
async def paypal(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> dict[str, bool]:
    """A delivery from PayPal: 200 once it is kept, 400 if it isn't PayPal's."""
    return await _receive(request, uow, Provider.PAYPAL)


async def _receive(request: AppRequest, uow: UnitOfWork, provider: Provider) -> dict[str, bool]:
    cashier = await outside(request, uow)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        new = await webhooks.receive(cashier, provider, await request.body(), headers)
    except ForgedWebhook as error:
        logger.warning("a webhook that is not %s's was refused: %s", provider, error)
        raise BadRequest("This delivery can't be trusted. Nothing was kept.", code="forged") from error
    except ProviderUnavailable as error:
        raise Unavailable("The signature can't be checked right now. Send it again.") from error
    return {"received": True, "new": new}


@get("/api/health/stripe", operation_id="health_stripe")
async def stripe_health(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[dict[str, str]]:
    """Stripe answers and takes our key; 503 otherwise, 404 without keys."""
    return await _health(request, uow, Provider.STRIPE)


@get("/api/health/paypal", operation_id="health_paypal")
async def paypal_health(request: AppRequest, uow: NamedDependency[UnitOfWork]) -> Response[dict[str, str]]:
    """PayPal answers and takes our key; 503 otherwise, 404 without keys."""
    return await _health(request, uow, Provider.PAYPAL)


async def _health(request: AppRequest, uow: UnitOfWork, provider: Provider) -> Response[dict[str, str]]:
    gateway = (await outside(request, uow)).gateways.get(provider)
    if gateway is None:
        raise NotFound("Payments with this provider are switched off.")
    try:
        await gateway.check()
    except (ProviderUnavailable, ProviderRefused) as error:
        logger.warning("%s: %s", provider, error)
        return Response({"status": "unavailable"}, status_code=503)
    return Response({"status": "ok"}, status_code=200)


HANDLERS: list[ControllerRouterHandler] = [stripe, paypal, stripe_health, paypal_health]
