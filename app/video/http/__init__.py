"""The doors of the video room."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from app.video.http import api, page, signal

HANDLERS: list[ControllerRouterHandler] = [*api.HANDLERS, *page.HANDLERS, *signal.HANDLERS]
