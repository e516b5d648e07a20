"""The way to Discord's consent page and back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from app.core.db import Database
from app.core.rls import ServiceDoor
from tests.accounts.browser import Browser
from tests.support.sandbox import RunningSandbox

MAYA, OTHER = "300000000000000001", "300000000000000002"


async def rows(database: Database, table: Any) -> list[Any]:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return list((await uow.session.execute(sa.select(table))).scalars())


async def set_out(browser: Browser, query: str = "") -> str:
    """The address of Discord's consent page."""
    answer = await browser.get(f"/auth/discord?{query}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def consent(sandbox: RunningSandbox, url: str, member: str = MAYA, *, allow: bool = True) -> str:
    """Path and query with which Discord sends the browser back."""
    location = urlsplit(sandbox.control.discord_consent(url, member, allow=allow))
    return f"{location.path}?{location.query}"


async def travel(browser: Browser, sandbox: RunningSandbox, member: str = MAYA, query: str = "") -> Any:
    """There, consent, and back."""
    return await browser.get(consent(sandbox, await set_out(browser, query), member))
