"""Stripe over HTTP: key, parameters, idempotency, expansion; what is done lies in `operations`."""

from __future__ import annotations

import secrets
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.chaos import Chaos, Fault
from sandbox.gate import FAULT
from sandbox.http import HttpRequest, HttpResponse, form_pairs, query_pairs, reply
from sandbox.stripe import buyer
from sandbox.stripe.contract import check
from sandbox.stripe.errors import StripeError, fault
from sandbox.stripe.forms import decoded
from sandbox.stripe.operations import Call, Operation, operation_of
from sandbox.stripe.service import Stripe
from sandbox.stripe.things import rendered
from sandbox.vendors import Answer


def check_key(request: HttpRequest, stripe: Stripe, chaos: Chaos) -> None:
    """Raises StripeError 401 unless the request carries our secret key."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise StripeError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    good = secrets.compare_digest(key.encode(), stripe.settings.stripe_secret_key.encode())
    if not good or chaos.dial("stripe").revoke:
        raise StripeError(401, f"Invalid API Key provided: {key[:8]}***")


@get("/v1/{path:path}")
async def read(
    request: HttpRequest, stripe: NamedDependency[Stripe], chaos: NamedDependency[Chaos], path: FromPath[str]
) -> HttpResponse:
    """Look something up."""
    check_key(request, stripe, chaos)
    operation, id_ = operation_of("GET", path.strip("/"))
    params = check(operation.shape, decoded(query_pairs(request)))
    return reply(_answer(operation, _call(request, stripe, path, id_, params)))


@post("/v1/{path:path}", status_code=200)
async def write(
    request: HttpRequest, stripe: NamedDependency[Stripe], chaos: NamedDependency[Chaos], path: FromPath[str]
) -> HttpResponse:
    """Do something, once for an idempotency key. Parameters that are refused don't use a key up."""
    check_key(request, stripe, chaos)
    operation, id_ = operation_of("POST", path.strip("/"))
    given = decoded(await form_pairs(request))
    params = check(operation.shape, given)
    key = request.headers.get("idempotency-key", "")
    kept = stripe.keys.kept(key, path, given) if key else None
    if kept:
        return reply(kept)
    try:
        answer = _answer(operation, _call(request, stripe, path, id_, params))
    except StripeError as error:
        answer = error.answer()
    if key:
        stripe.keys.keep(key, path, given, _as_sent(request, answer, path))
    return reply(answer)


def _as_sent(request: HttpRequest, answer: Answer, path: str) -> Answer:
    """The answer that a key stands for: the 500 of a Stripe that fails after its work, as chaos makes it."""
    scope: dict[str, Any] = dict(request.scope)
    lost: Fault | None = scope.get(FAULT)
    return fault(500, path) if lost and lost.status == 500 else answer


def _call(request: HttpRequest, stripe: Stripe, path: str, id_: str, params: dict[str, Any]) -> Call:
    base = f"{request.url.scheme}://{request.url.netloc}"
    return Call(stripe, params, f"/v1/{path.strip('/')}", id_, base)


def _answer(operation: Operation, call: Call) -> Answer:
    expand = call.params.get("expand", ())
    buyer.sweep(call.stripe)
    rest = {name: value for name, value in call.params.items() if name != "expand"}
    thing = operation.act(Call(call.stripe, rest, call.path, call.id, call.base))
    return Answer(
        200, rendered(thing, expand, call.stripe.shelves), (("request-id", f"req_{secrets.token_hex(7)}"),)
    )


HANDLERS = [read, write]
