"""Who asks: the session cookie or a personal access token becomes the viewer, and binds the unit of work to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from app.accounts import impersonation
from app.core.db import Database
from app.core.errors import Forbidden
from app.core.ids import hash_secret
from app.core.limits import address_of
from app.core.middleware import NO_DATABASE
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.core.web import Viewer

SESSION_COOKIE = "session"
SEEN_EVERY = timedelta(minutes=10)
_AUTHENTICATE = (
    "select id, name, email, verified, role, time_zone, theme, seen_at, impersonator_id, bound_id, bound_role"
    " from authenticate(%(secret)s, %(bearer)s, %(at)s)"
)
# Skips a row that another request is writing at this moment: nobody waits to say that they were here.
_SEEN = {
    bearer: sa.text(
        f"update {table} set {column} = :at where id ="  # noqa: S608
        f" (select id from {table} where token_hash = :secret for no key update skip locked)"
    )
    for bearer, table, column in (
        (False, "web_sessions", "last_seen_at"),
        (True, "access_tokens", "last_used_at"),
    )
}


class Authentication(ASGIMiddleware):
    """Sets `scope["user"]` to a Viewer or None; wrong or outdated secrets are nobody."""

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)
    exclude_path_pattern = NO_DATABASE

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """One query, in the transaction that the handler goes on with; a socket, which may last for hours, has none.

        Access tokens open `/api/` and nothing else: a leaked one can't change a password. Raises Forbidden.
        """
        if scope["type"] == ScopeType.WEBSOCKET:
            scope["user"] = await _behind_cookie(scope)
            await next_app(scope, receive, send)
            return
        uow: UnitOfWork = scope["state"]["uow"]
        viewer = await authenticate(uow, *presented_secret(scope), address=address_of(scope))
        if viewer is not None and viewer.bearer and not scope["path"].startswith("/api/"):
            raise Forbidden("Access tokens work for the addresses below /api/ only.")
        if viewer is not None and viewer.impersonator_id is not None:
            await impersonation.record_act(uow, scope["method"], _told_path(scope))
        scope["user"] = viewer
        await next_app(scope, receive, send)


def presented_secret(scope: Scope) -> tuple[str | None, bool]:
    """The secret a request carries and whether it is a bearer token; a bearer token wins over the cookie."""
    connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
    header = connection.headers.get("authorization", "")
    if header[:7].lower() == "bearer ":
        return header[7:].strip(), True
    return connection.cookies.get(SESSION_COOKIE), False


async def _behind_cookie(scope: Scope) -> Viewer | None:
    database: Database = scope["litestar_app"].state.database
    secret = ASGIConnection[Any, Any, Any, Any](scope).cookies.get(SESSION_COOKIE)
    async with database.unit_of_work() as uow:
        viewer = await authenticate(uow, secret, False, address=address_of(scope))
        await uow.commit()
        return viewer


def _told_path(scope: Scope) -> str:
    """The path as the audit log may keep it: the secrets of links in mails are left out."""
    template: str = cast(HTTPScope, scope)["path_template"]
    return template if "{token}" in template else scope["path"]


async def authenticate(
    uow: UnitOfWork, secret: str | None, bearer: bool, *, address: str | None = None
) -> Viewer | None:
    """The viewer behind `secret`, with `uow` bound to them; None if it is unknown, expired or its user is deleted.

    A session that an admin has as somebody else ends with their own rights. Machine time decides about expiry. That the secret was used is written down once in ten minutes.
    """
    if not secret:
        return None
    now = datetime.now(UTC)
    hashed = hash_secret(secret)
    query = {"secret": hashed, "bearer": bearer, "at": now}
    row = await uow.fetch_one(_AUTHENTICATE, query)
    if row is None:
        return None
    id_, name, email, verified, role, time_zone, theme, seen_at, impersonator_id, *_ = row
    uow.principal = Principal(id_, Role(role), impersonator_id, address)
    if seen_at is None or seen_at < now - SEEN_EVERY:
        await uow.session.execute(_SEEN[bearer], {"secret": hashed, "at": now})
    return Viewer(id_, name, email, verified, Role(role), time_zone, theme, bearer, impersonator_id)
