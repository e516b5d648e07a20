"""Pages that belong to no slice: landing, privacy, terms, and the address where nothing is."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.core.errors import NotFound
from app.core.web import page


@get("/privacy", include_in_schema=False, sync_to_thread=False)
def privacy(request: Request[Any, Any, Any]) -> Response[str]:
    """What is kept about people, and for how long."""
    return page(request, "site/privacy.html")


@get("/terms", include_in_schema=False, sync_to_thread=False)
def terms(request: Request[Any, Any, Any]) -> Response[str]:
    """The rules of the house."""
    return page(request, "site/terms.html")


@get("/{path:path}", include_in_schema=False, sync_to_thread=False)
def nothing(path: FromPath[str]) -> None:
    """Every other address, so that the error page knows who is signed in."""
    raise NotFound


HANDLERS = [privacy, terms, nothing]
