"""`/receipts/{order_id}`: what was paid and what went back, to look at and to print."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from app.accounts.guards import requires_user
from app.core.errors import NotFound
from app.core.ids import parse_id
from app.core.unit_of_work import Role, UnitOfWork
from app.core.web import AppRequest, Viewer, page
from app.payments import sales
from app.payments.http.common import NAMES


@get("/receipts/{order_id:str}", guards=[requires_user], include_in_schema=False)
async def show(
    request: AppRequest,
    uow: NamedDependency[UnitOfWork],
    viewer: NamedDependency[Viewer],
    order_id: FromPath[str],
) -> Response[str]:
    """The receipt, for its buyer and admins."""
    order = await sales.order(uow.session, parse_id(order_id))
    if order.paid_at is None or (viewer.role is not Role.ADMIN and order.student_id != viewer.id):
        raise NotFound
    return page(
        request,
        "payments/receipt.html",
        order=order,
        refunds=await sales.refunds(uow.session, order.id),
        provider_name=NAMES[order.provider],
        zone=viewer.time_zone,
    )


HANDLERS: list[ControllerRouterHandler] = [show]
