"""Browsers for tests of pages: opened on an application, signed in as somebody of the cast."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar

from app.accounts import web_sessions
from app.accounts.web_sessions import Browser as Claim
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests.accounts.browser import Browser
from tests.cast import Cast


@asynccontextmanager
async def visiting(
    app: Litestar, database: Database, settings: Settings, cast: Cast, person: str
) -> AsyncIterator[Browser]:
    """A browser signed in as `person` of the cast; `anonymous` is nobody."""
    browser = Browser(app, person)
    if person != "anonymous":
        async with database.service(ServiceDoor.SIGN_IN) as uow:
            claim = Claim(browser.http.headers["user-agent"])
            browser.carry(await web_sessions.start(uow, settings, cast[person], claim))
            await uow.commit()
    async with browser.http:
        yield browser
