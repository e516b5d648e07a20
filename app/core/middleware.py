"""What surrounds every request: its unit of work, security headers, the CSRF check."""

from __future__ import annotations

from typing import cast

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.middleware.csrf import CSRFMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState
from sqlalchemy.exc import SQLAlchemyError

from app.core.db import Database
from app.core.unit_of_work import UnitOfWork

NO_DATABASE = ("^/static/", "^/schema")
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self), display-capture=(self)",
}
_HEADERS = [
    (name.encode(), value.encode())
    for name, value in {**SECURITY_HEADERS, "cache-control": "private, no-store"}.items()
]


class RequestUnitOfWork(ASGIMiddleware):
    """Exactly one unit of work a request: committed before a good answer is sent, rolled back with any other."""

    scopes = (ScopeType.HTTP,)
    exclude_path_pattern = NO_DATABASE

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Open, hand on in the scope, settle at the first message of the answer."""
        database: Database = scope["litestar_app"].state.database
        async with database.unit_of_work() as uow:
            scope["state"]["uow"] = uow

            async def settle(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await _settle(scope, uow, message["status"])
                await send(message)

            await next_app(scope, receive, settle)


class SecurityHeaders(ASGIMiddleware):
    """The headers that keep a page to itself."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Add the headers a handler did not set itself; nothing personal is kept by caches."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                missing = [header for header in _HEADERS if header[0] not in given]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await next_app(scope, receive, add)


class CookieCSRF(CSRFMiddleware):
    """The double-submit check, for requests that a browser signs with a cookie by itself; bearer tokens need none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass bearer requests on, they are authenticated by the header alone; and nobody's to the JSON interface.

        The latter carry no cookie that could be misused: their answer is that somebody has to sign in.
        """
        bearer = any(
            name == b"authorization" and value[:7].lower() == b"bearer " for name, value in scope["headers"]
        )
        nobody = scope.get("user") is None and scope["path"].startswith("/api/")
        if scope["type"] == ScopeType.HTTP and (bearer or nobody):
            await self.app(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


async def _settle(scope: Scope, uow: UnitOfWork, status: int) -> None:
    try:
        await (uow.commit() if status < 400 else uow.rollback())
    except SQLAlchemyError:
        # Nothing has left the house yet: let the error handlers answer instead.
        ScopeState.from_scope(scope).response_started = False
        raise


def unit_of_work(scope: Scope) -> UnitOfWork:
    """The request's unit of work (dependency `uow`)."""
    return cast(UnitOfWork, scope["state"]["uow"])
