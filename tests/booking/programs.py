"""The JSON interface as programs use it: a client for each of the cast, signed in by an access token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from litestar import Litestar

from app.accounts import service as accounts
from app.core import clock
from app.core.rls import ServiceDoor
from app.core.templating import iso
from tests.booking.support import Desk

BASE = "http://127.0.0.1:8000"
Programs = dict[str, httpx.AsyncClient]


@asynccontextmanager
async def programs_of(app: Litestar, desk: Desk) -> AsyncIterator[Programs]:
    """Clients by name of the cast, and `anonymous`."""
    headers: dict[str, dict[str, str]] = {"anonymous": {}}
    async with desk.database.service(ServiceDoor.SEED) as uow:
        for name in desk.cast.ids:
            token = await accounts.issue_token(uow, desk.cast[name], "test", 1)
            headers[name] = {"authorization": f"Bearer {token}"}
        await uow.commit()
    async with AsyncExitStack() as stack:
        clients = {}
        for name, header in headers.items():
            transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
            client = httpx.AsyncClient(transport=transport, base_url=BASE, headers=header)
            clients[name] = await stack.enter_async_context(client)
        yield clients


def availability(desk: Desk, **query: Any) -> str:
    """The mentor's address."""
    return f"/api/mentors/{desk.cast['mentor']}/availability?{httpx.QueryParams(query)}"


def window(days: int = 14) -> dict[str, str]:
    """So many days from now."""
    now = clock.now()
    return {"start": iso(now), "end": iso(now + timedelta(days=days))}
