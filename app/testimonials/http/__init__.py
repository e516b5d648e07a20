"""Pages of testimonials: writing them, and deciding about them."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from app.testimonials.http import deciding, writing

HANDLERS: list[ControllerRouterHandler] = [*writing.HANDLERS, *deciding.HANDLERS]
