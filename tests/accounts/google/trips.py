"""The way to Google's consent page and back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from app.core.db import Database
from app.core.rls import ServiceDoor
from tests.accounts.browser import Browser
from tests.support.sandbox import RunningSandbox

NEWCOMER = "newcomer@gmail.example"


async def rows(database: Database, table: Any) -> list[Any]:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return list((await uow.session.execute(sa.select(table))).scalars())


async def set_out(browser: Browser, query: str = "purpose=sign-in") -> str:
    """The address of Google's consent page."""
    answer = await browser.get(f"/auth/google?{query}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def consent(sandbox: RunningSandbox, url: str, address: str, **how: Any) -> str:
    """Path and query with which Google sends the browser back."""
    location = urlsplit(sandbox.control.consent(url, address, **how))
    return f"{location.path}?{location.query}"


async def travel(
    browser: Browser, sandbox: RunningSandbox, address: str, query: str = "purpose=sign-in"
) -> Any:
    """There, consent, and back."""
    return await browser.get(consent(sandbox, await set_out(browser, query), address))
