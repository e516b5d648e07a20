"""`/admin/orders`: every order with its money, refunds with their quote, and the comparison with the providers."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_admin
from app.core.errors import AppError, BadRequest, Invalid, Refused
from app.core.ids import parse_id
from app.core.paging import NO_PAGE, page_number, pages
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Flash, Viewer, fragment, is_htmx, page, posted, see_other
from app.payments import fulfilment, reconciliation, refunds, sales, settlement
from app.payments.http.common import NAMES
from app.payments.models import OrderFlag, OrderStatus
from app.payments.rules import Quote

PATH = "/admin/orders"
PER_PAGE = 50
FILTERS = (
    ("", "All"),
    ("flagged", "To decide"),
    *((status.value, status.value.replace("_", " ").capitalize()) for status in OrderStatus),
)
FLAGS = {
    OrderFlag.WRONG_AMOUNT: "Another amount was paid than ordered, so no pack was made of it. Refund it, or ask the student.",
    OrderFlag.WRONG_CURRENCY: "Another currency was paid than ordered, so no pack was made of it. Refund it, or ask the student.",
    OrderFlag.NO_SEAT: "It was paid when no seat was free: all of it goes back by itself, and both are told.",
    OrderFlag.PARTIAL_REFUND: "A part was refunded at the provider; the sessions are still there. Refund the rest, or leave them.",
    OrderFlag.REFUND_FAILED: "A refund could not be paid out. What it took is back in the pack, unless another refund or a dispute keeps it. Try again, or pay another way.",
    OrderFlag.DISPUTED: "The buyer disputes the payment. The pack is frozen until the provider decides.",
}
Uow = NamedDependency[UnitOfWork]
Me = NamedDependency[Viewer]


@get(PATH, guards=[requires_admin], include_in_schema=False)
async def index(
    request: AppRequest,
    uow: Uow,
    viewer: Me,
    q: Annotated[str, QueryParameter(max_length=100)] = "",
    status: Annotated[str, QueryParameter(max_length=40)] = "",
    number: Annotated[str, QueryParameter(name="page", max_length=100)] = "",
) -> Response[str]:
    """Orders, the newest first; searched by person, filtered by status."""
    words = q.strip()
    chosen = status if status in dict(FILTERS) else ""
    asked = page_number(number)
    found, total = await sales.orders(
        uow.session, words, chosen, limit=PER_PAGE, offset=((asked or 1) - 1) * PER_PAGE
    )
    if asked is not None and asked > 1 and not found:
        asked = None
        found, total = await sales.orders(uow.session, words, chosen, limit=PER_PAGE, offset=0)
    run, findings = await sales.last_run(uow.session)
    context: dict[str, Any] = {
        "q": words,
        "orders": found,
        "total": total,
        "chosen": chosen,
        "filters": [
            {"label": label, "href": _href(words, value, 1), "selected": value == chosen}
            for value, label in FILTERS
        ],
        "pagination": pages(partial(_href, words, chosen), asked or 1, total, PER_PAGE),
        "note": NO_PAGE if asked is None else None,
        "run": run,
        "findings": findings,
        "zone": viewer.time_zone,
        "names": NAMES,
    }
    if is_htmx(request):
        return fragment(request, "payments/_orders.html", **context)
    return page(request, "payments/orders.html", **context)


@get(PATH + "/{order_id:str}", guards=[requires_admin], include_in_schema=False)
async def show(request: AppRequest, uow: Uow, viewer: Me, order_id: FromPath[str]) -> Response[str]:
    """One order with everything that happened to its money, and what a refund would be."""
    id_ = parse_id(order_id)
    order = await sales.order(uow.session, id_)
    quote, refusal = await _quote(uow, id_)
    return page(
        request,
        "payments/order.html",
        order=order,
        refunds=await sales.refunds(uow.session, id_),
        quote=quote,
        refusal=refusal,
        flags=FLAGS,
        zone=viewer.time_zone,
        provider_name=NAMES[order.provider],
    )


@get(PATH + "/{order_id:str}/refunds", guards=[requires_admin], include_in_schema=False)
async def ask_refund(request: AppRequest, uow: Uow, order_id: FromPath[str]) -> Response[str]:
    """What a refund would be and do, and the button that does it."""
    return await _refund(request, uow, parse_id(order_id))


@post(PATH + "/{order_id:str}/refunds", guards=[requires_admin], include_in_schema=False)
async def refund(request: AppRequest, uow: Uow, order_id: FromPath[str]) -> Response[str]:
    """Refund what was quoted; if that changed meanwhile, nothing happens and the new quote is shown."""
    id_ = parse_id(order_id)
    form = await posted(request, "quoted", "reason")
    if not (form["quoted"].isascii() and form["quoted"].isdecimal() and len(form["quoted"]) <= 12):
        raise BadRequest("quoted: the amount that was shown is missing. Nothing was refunded.")
    try:
        await refunds.request(uow, id_, quoted=int(form["quoted"]), reason=form["reason"].strip())
    except (Refused, Invalid) as error:
        await uow.rollback()
        return await _refund(request, uow, id_, error, form)
    said = "The refund is on its way. Both are told once the provider has taken it."
    return see_other(request, f"{PATH}/{id_}", Flash("done", said))


@post(PATH + "/{order_id:str}/decision", guards=[requires_admin], include_in_schema=False)
async def decide(request: AppRequest, uow: Uow, order_id: FromPath[str]) -> Response[str]:
    """What was flagged is dealt with."""
    id_ = parse_id(order_id)
    try:
        await settlement.decide(uow, await fulfilment.locked(uow, id_))
    except Refused as error:
        return see_other(request, f"{PATH}/{id_}", Flash("problem", error.detail))
    return see_other(request, f"{PATH}/{id_}", Flash("done", "This order needs no decision any more."))


@post("/admin/reconciliations", guards=[requires_admin], include_in_schema=False)
async def reconcile(request: AppRequest, uow: Uow) -> Response[str]:
    """Compare all recent orders with their providers now."""
    await reconciliation.request(uow)
    note = "The comparison has begun; reload this page in a moment to see what it found."
    return see_other(request, PATH, Flash("done", note))


async def _refund(
    request: AppRequest,
    uow: UnitOfWork,
    order_id: UUID,
    error: AppError | None = None,
    form: dict[str, str] | None = None,
) -> Response[str]:
    order = await sales.order(uow.session, order_id)
    quote, why_not = await _quote(uow, order_id)
    refusal = {"code": "no_refund", "title": "Nothing can go back", "detail": why_not} if not quote else None
    if quote and isinstance(error, Refused):
        refusal = {"code": error.code, "title": "Look at it again", "detail": error.detail}
    context: dict[str, Any] = {
        "order": order,
        "quote": quote,
        "refusal": refusal,
        "errors": error.fields if isinstance(error, Invalid) else {},
        "form": form or {},
    }
    status = error.status if error else 200
    if is_htmx(request):
        return fragment(request, "payments/_refund.html", status=status, **context)
    return page(request, "payments/refund.html", status=status, **context)


async def _quote(uow: UnitOfWork, order_id: UUID) -> tuple[Quote | None, str]:
    """What could go back, or why nothing can."""
    try:
        return await refunds.quote(uow, order_id), ""
    except Refused as no:
        return None, no.detail


def _href(words: str, status: str, number: int) -> str:
    query = {name: value for name, value in (("q", words), ("status", status)) if value}
    return f"{PATH}?{urlencode(query | ({'page': str(number)} if number > 1 else {}))}".rstrip("?")


HANDLERS: list[ControllerRouterHandler] = [index, show, ask_refund, refund, decide, reconcile]
