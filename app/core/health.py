"""Health: is the process up, does the database answer, is a worker alive. Exempt from rate limits."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from litestar import Request, Response, get
from litestar.di import NamedDependency

from app.core.unit_of_work import UnitOfWork


@get("/api/health", operation_id="health", sync_to_thread=False)
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/api/health/db", operation_id="health_db")
async def database(uow: NamedDependency[UnitOfWork]) -> dict[str, str]:
    """The database answers; 503 otherwise."""
    await uow.session.execute(sa.text("select 1"))
    return {"status": "ok"}


@get("/api/health/ready", operation_id="health_ready")
async def ready(
    request: Request[Any, Any, Any], uow: NamedDependency[UnitOfWork]
) -> Response[dict[str, Any]]:
    """200 only when database, queue and a worker are there; else 503 that names what is missing."""
    workers = (await uow.session.execute(sa.text("select workers_alive()"))).scalar_one()
    parts = {"database": True, "queue": True, "worker": workers > 0}
    good = all(parts.values())
    body = {"status": "ready" if good else "not ready", "parts": parts}
    return Response(body, status_code=200 if good else 503)


HANDLERS = [health, database, ready]
