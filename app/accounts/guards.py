"""Policy as guards: `guards=[requires_mentor]`. Coroutines, for the framework hands plain functions to a thread."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from app.core.errors import Forbidden, Unauthenticated
from app.core.unit_of_work import Role
from app.core.web import Viewer

Connection = ASGIConnection[Any, Any, Any, Any]


async def requires_user(connection: Connection, _: BaseRouteHandler) -> None:
    """Somebody is signed in. Raises Unauthenticated."""
    _viewer(connection)


async def requires_student(connection: Connection, _: BaseRouteHandler) -> None:
    """A student is signed in. Raises Unauthenticated or Forbidden."""
    _require(connection, Role.STUDENT)


async def requires_mentor(connection: Connection, _: BaseRouteHandler) -> None:
    """A mentor is signed in. Raises Unauthenticated or Forbidden."""
    _require(connection, Role.MENTOR)


async def requires_admin(connection: Connection, _: BaseRouteHandler) -> None:
    """An admin is signed in. Raises Unauthenticated or Forbidden."""
    _require(connection, Role.ADMIN)


def _viewer(connection: Connection) -> Viewer:
    viewer: Viewer | None = connection.scope.get("user")
    if viewer is None:
        raise Unauthenticated
    return viewer


def _require(connection: Connection, role: Role) -> None:
    if _viewer(connection).role is not role:
        raise Forbidden
