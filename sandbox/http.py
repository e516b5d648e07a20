"""What the handlers share: reading requests, giving answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response

from sandbox.vendors import Answer

HttpRequest = Request[Any, Any, Any]
HttpResponse = Response[Any]

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "base-uri 'none'; frame-ancestors 'self'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def json_answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A JSON answer; no body at all for None."""
    raw = b"" if body is None else msgspec.json.encode(body)
    return Response(raw, status_code=status, media_type=JSON, headers=headers or {})


def reply(answer: Answer) -> HttpResponse:
    """The HTTP form of a vendor's answer."""
    return json_answer(answer.body, answer.status, dict(answer.headers))


def page(html: str, status: int = 200) -> HttpResponse:
    """A page for people."""
    return Response(html, status_code=status, media_type=HTML, headers=PAGE_HEADERS)


def see_other(location: str) -> HttpResponse:
    """Send the browser on with GET."""
    return Response(b"", status_code=303, media_type=HTML, headers={"location": location})


def query_pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """The query string's names and values in order."""
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)


async def form_pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """The names and values of an urlencoded form body."""
    return parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)


async def form(request: HttpRequest) -> dict[str, str]:
    """An urlencoded form body; of a repeated name the last value."""
    return dict(await form_pairs(request))
