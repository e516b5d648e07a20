"""PayPal over HTTP: token, orders, captures, refunds, disputes, catalogue, certificates."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.chaos import Chaos
from sandbox.http import HttpRequest, HttpResponse, form, json_answer
from sandbox.paypal import contract, orders, refunds
from sandbox.paypal.authority import PATH
from sandbox.paypal.errors import TokenError, not_found
from sandbox.paypal.keys import TOKEN_SECONDS
from sandbox.paypal.models import Product, new_id, now
from sandbox.paypal.service import PayPal
from sandbox.paypal.shown import (
    capture_alone,
    dispute_shown,
    order_brief,
    product_shown,
    refund_brief,
    refund_shown,
)


def admit(request: HttpRequest, paypal: PayPal, chaos: Chaos) -> None:
    """Accept the request's access token. Raises TokenError 401."""
    if chaos.dial("paypal").revoke:
        raise TokenError(401, "invalid_token", "The token passed in was not found in the system")
    paypal.tokens.check(request.headers.get("authorization", ""))


def base_of(request: HttpRequest) -> str:
    """The sandbox's own address as it was called."""
    return f"{request.url.scheme}://{request.url.netloc}"


def key_of(request: HttpRequest) -> str:
    """The PayPal-Request-Id, empty if there is none."""
    return request.headers.get("paypal-request-id", "")


def wants_all(request: HttpRequest) -> bool:
    """True if the whole resource shall be answered."""
    return request.headers.get("prefer", "") == "return=representation"


@post("/v1/oauth2/token", status_code=200)
async def give_token(
    request: HttpRequest, paypal: NamedDependency[PayPal], chaos: NamedDependency[Chaos]
) -> HttpResponse:
    """An access token for the client's id and secret."""
    settings = paypal.settings
    expected = f"{settings.paypal_client_id}:{settings.paypal_client_secret}"
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError):
        given = b""
    good = scheme.lower() == "basic" and hmac.compare_digest(given, expected.encode())
    if not good or chaos.dial("paypal").revoke:
        raise TokenError(401, "invalid_client", "Client Authentication failed")
    if (await form(request)).get("grant_type") != "client_credentials":
        raise TokenError(400, "unsupported_grant_type", "Grant Type is NULL or not supported")
    answer = {
        "scope": "https://uri.paypal.com/services/payments/payment",
        "access_token": paypal.tokens.give(),
        "token_type": "Bearer",
        "app_id": "APP-80W284485P519543T",
        "expires_in": TOKEN_SECONDS,
        "nonce": now() + new_id(),
    }
    return json_answer(answer)


@post("/v2/checkout/orders", status_code=201)
async def create_order(
    request: HttpRequest, paypal: NamedDependency[PayPal], chaos: NamedDependency[Chaos]
) -> HttpResponse:
    """Create an order."""
    admit(request, paypal, chaos)
    raw = await request.body()
    known = paypal.keys.known("create", key_of(request), raw)
    if known:
        order = paypal.order(known)
    else:
        order = orders.create(paypal, base_of(request), contract.read(raw, contract.ORDER))
        paypal.keys.keep("create", key_of(request), raw, order.id)
    shown = orders.whole(paypal, order) if wants_all(request) else order_brief(order)
    return json_answer(shown, 200 if known else 201)


@get("/v2/checkout/orders/{order_id:str}")
async def get_order(
    request: HttpRequest,
    paypal: NamedDependency[PayPal],
    chaos: NamedDependency[Chaos],
    order_id: FromPath[str],
) -> HttpResponse:
    """An order with its payments."""
    admit(request, paypal, chaos)
    return json_answer(orders.whole(paypal, paypal.order(order_id)))


@post("/v2/checkout/orders/{order_id:str}/capture", status_code=201)
async def capture_order(
    request: HttpRequest,
    paypal: NamedDependency[PayPal],
    chaos: NamedDependency[Chaos],
    order_id: FromPath[str],
) -> HttpResponse:
    """Take the money of an approved order."""
    admit(request, paypal, chaos)
    raw = await request.body()
    contract.read(raw, contract.CAPTURE)
    order, operation = paypal.order(order_id), f"capture {order_id}"
    known = paypal.keys.known(operation, key_of(request), raw)
    if not known:
        order = orders.capture(paypal, order)
        paypal.keys.keep(operation, key_of(request), raw, order_id)
    shown = orders.whole(paypal, order) if wants_all(request) else order_brief(order)
    return json_answer(shown, 200 if known else 201)


@get("/v2/payments/captures/{capture_id:str}")
async def get_capture(
    request: HttpRequest,
    paypal: NamedDependency[PayPal],
    chaos: NamedDependency[Chaos],
    capture_id: FromPath[str],
) -> HttpResponse:
    """A capture."""
    admit(request, paypal, chaos)
    return json_answer(capture_alone(*paypal.capture(capture_id)))


@post("/v2/payments/captures/{capture_id:str}/refund", status_code=201)
async def refund_capture(
    request: HttpRequest,
    paypal: NamedDependency[PayPal],
    chaos: NamedDependency[Chaos],
    capture_id: FromPath[str],
) -> HttpResponse:
    """Give back a capture or part of it."""
    admit(request, paypal, chaos)
    raw = await request.body()
    body = contract.read(raw, contract.REFUND)
    order, capture, _ = paypal.capture(capture_id)
    known = paypal.refunds.get(paypal.keys.known(f"refund {capture_id}", key_of(request), raw) or "")
    refund = known or refunds.give_back(paypal, order, capture, body, "api")
    if not known:
        paypal.keys.keep(f"refund {capture_id}", key_of(request), raw, refund.id)
    shown = refund_shown(order, refund) if wants_all(request) else refund_brief(order, refund)
    return json_answer(shown, 200 if known else 201)


@get("/v2/payments/refunds/{refund_id:str}")
async def get_refund(
    request: HttpRequest,
    paypal: NamedDependency[PayPal],
    chaos: NamedDependency[Chaos],
    refund_id: FromPath[str],
) -> HttpResponse:
    """A refund."""
    admit(request, paypal, chaos)
    refund = paypal.refunds.get(refund_id)
    if refund is None:
        raise not_found("refund_id", refund_id)
    return json_answer(refund_shown(paypal.order(refund.order), refund))


@get("/v1/customer/disputes/{dispute_id:str}")
async def get_dispute(
    request: HttpRequest,
    paypal: NamedDependency[PayPal],
    chaos: NamedDependency[Chaos],
    dispute_id: FromPath[str],
) -> HttpResponse:
    """A dispute."""
    admit(request, paypal, chaos)
    dispute = paypal.disputes.get(dispute_id)
    if dispute is None:
        raise not_found("id", dispute_id)
    return json_answer(dispute_shown(paypal.order(dispute.order), dispute))


@post("/v1/catalogs/products", status_code=201)
async def create_product(
    request: HttpRequest, paypal: NamedDependency[PayPal], chaos: NamedDependency[Chaos]
) -> HttpResponse:
    """Add a product to the catalogue."""
    admit(request, paypal, chaos)
    raw = await request.body()
    known = paypal.products.get(paypal.keys.known("product", key_of(request), raw) or "")
    if known:
        return json_answer(product_shown(base_of(request), known), 200)
    members: dict[str, Any] = contract.read(raw, contract.PRODUCT)
    product = Product(members.get("id") or f"PROD-{new_id()}", now(), members)
    paypal.products.put(product.id, product)
    paypal.keys.keep("product", key_of(request), raw, product.id)
    return json_answer(product_shown(base_of(request), product), 201)


@get(PATH + "{certificate_id:str}")
async def get_certificate(paypal: NamedDependency[PayPal], certificate_id: FromPath[str]) -> Response[str]:
    """The certificate that webhooks are signed with."""
    if certificate_id != paypal.authority.id:
        raise not_found("certificate_id", certificate_id)
    return Response(paypal.authority.certificate, media_type="application/x-pem-file")


HANDLERS = [
    give_token,
    create_order,
    get_order,
    capture_order,
    get_capture,
    refund_capture,
    get_refund,
    get_dispute,
    create_product,
    get_certificate,
]
