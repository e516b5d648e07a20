"""Where money is spoken of: the checkout, receipts, the admin's orders, the JSON interface, webhooks."""

from litestar.types import ControllerRouterHandler

from app.payments.http import api, checkout, orders, receipts, webhooks

HANDLERS: list[ControllerRouterHandler] = [
    *checkout.HANDLERS,
    *receipts.HANDLERS,
    *orders.HANDLERS,
    *api.HANDLERS,
    *webhooks.HANDLERS,
]
