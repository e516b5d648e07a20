"""Errors as people and programs read them: a page, a fragment, or `application/problem+json`."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response
from litestar.enums import MediaType, ScopeType
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap, Scope
from sqlalchemy.exc import DataError, OperationalError

from app.core.errors import (
    AppError,
    BadRequest,
    Forbidden,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from app.core.web import fragment, is_htmx, page, see_other

logger = logging.getLogger(__name__)

TITLES = {
    400: "That didn't make sense to us",
    401: "Please sign in",
    403: "Not for this account",
    404: "Nothing here",
    405: "Nothing here",
    409: "Not any more",
    413: "Too large",
    422: "Almost",
    429: "One moment",
    500: "Our mistake",
    503: "Not right now",
}


def problem(
    request: Request[Any, Any, Any], error: AppError, headers: dict[str, str] | None = None
) -> Response[Any]:
    """`error` in the form the asker reads."""
    if isinstance(error, TooManyRequests):
        headers = {"retry-after": str(error.retry_after_seconds)}
    if request.url.path.startswith("/api/"):
        return problem_json(error, headers)
    if isinstance(error, Unauthenticated) and request.method == "GET" and not is_htmx(request):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return see_other(request, f"/sign-in?next={quote(asked, safe='/')}")
    shown = {
        "status": error.status,
        "code": error.code,
        "title": TITLES.get(error.status, "Something went wrong"),
        "detail": error.detail,
    }
    if is_htmx(request):
        aim = {"hx-retarget": "#flash", "hx-reswap": "innerHTML"}
        return fragment(
            request, "problems/_error.html", status=error.status, headers=aim | (headers or {}), problem=shown
        )
    response = page(request, "problems/error.html", status=error.status, problem=shown)
    response.headers.update(headers or {})
    return response


def problem_json(error: AppError, headers: dict[str, str] | None = None) -> Response[bytes]:
    """`error` as RFC 9457 problem details, with `code` and, for invalid input, `errors` by field."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
    }
    if isinstance(error, Invalid):
        body["errors"] = error.fields
    body |= getattr(error, "extra", {})
    return Response(
        msgspec.json.encode(body),
        media_type="application/problem+json",
        status_code=error.status,
        headers=headers or {},
    )


def handle_app_error(request: Request[Any, Any, Any], error: AppError) -> Response[Any]:
    """What a service raised."""
    return problem(request, error)


def handle_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What the framework raised: unknown path, wrong method, malformed input, missing CSRF token."""
    headers = dict(error.headers or {})
    if isinstance(error, ValidationException):
        details = [
            f"{item.get('key', 'value')}: {item.get('message', '')}"
            for item in error.extra or []
            if isinstance(item, dict)
        ]
        return problem(request, BadRequest("; ".join(details) or error.detail), headers)
    known: dict[int, AppError] = {401: Unauthenticated(), 404: NotFound()}
    if error.status_code == 403 and "CSRF" in error.detail:
        return problem(
            request, Forbidden("This form is too old. Please reload the page and try again.", code="csrf")
        )
    if error.status_code in known:
        return problem(request, known[error.status_code], headers)
    mapped = AppError(error.detail or None, code=HTTPStatus(error.status_code).name.lower())
    mapped.status = error.status_code
    return problem(request, mapped, headers)


def handle_database_down(request: Request[Any, Any, Any], error: OperationalError) -> Response[Any]:
    """The database can't be reached: nothing was changed, trying again helps."""
    logger.error("database unavailable: %s", error)
    return problem(request, Unavailable(), {"retry-after": "5"})


def handle_unstorable(request: Request[Any, Any, Any], error: DataError) -> Response[Any]:
    """Input that passed for text or a number but that the database can't hold: a NUL character, a far-off date."""
    logger.warning("unstorable input at %s %s: %s", request.method, request.url.path, error.orig)
    return problem(request, BadRequest("Something in that request can't be stored. Nothing was changed."))


def handle_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A bug: logged with its trace, shown without it."""
    logger.error("unexpected error at %s %s", request.method, request.url.path, exc_info=error)
    response = problem(request, AppError())
    return Response(
        response.content,
        media_type=response.media_type or MediaType.HTML,
        status_code=500,
        headers=dict(response.headers),
    )


async def note_broken_socket(error: Exception, scope: Scope) -> None:
    """The framework closes a socket whose handler failed, and asks none of the handlers above: log it with its trace."""
    if scope["type"] == ScopeType.WEBSOCKET and not isinstance(error, HTTPException):
        logger.error("unexpected error at WEBSOCKET %s", scope["path"], exc_info=error)


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    AppError: handle_app_error,
    HTTPException: handle_http_exception,
    OperationalError: handle_database_down,
    DataError: handle_unstorable,
    Exception: handle_unexpected,
}
