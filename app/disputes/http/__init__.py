"""Pages of disputes: opening and answering one, and deciding about them."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from app.disputes.http import deciding, session

HANDLERS: list[ControllerRouterHandler] = [*session.HANDLERS, *deciding.HANDLERS]
