"""What the tests of accounts share: the application on this worker's database, browsers, the people, what was mailed."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from litestar import Litestar

from app.accounts import service, web_sessions
from app.accounts.notices import NOTICES
from app.accounts.web_sessions import Browser as Claim
from app.asgi import create_app
from app.core.db import Database
from app.core.models import OutboxEvent
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.notifications.service import Message
from app.settings import Settings
from tests import cast as casting
from tests.accounts.browser import Browser
from tests.cast import Cast

PASSWORD = "three plain words"
EMAIL = "ada@example.test"
Open = Callable[..., Awaitable[Browser]]
Mails = Callable[..., Awaitable[list[Message]]]


@pytest.fixture(scope="session")
def fast(settings: Settings) -> Settings:
    """Settings whose hashes are cheap, whose answers don't wait, and whose limits don't matter."""
    return dataclasses.replace(settings, argon2_memory_kib=64, even_answer_ms=0, limits_scale=1000.0)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(fast: Settings) -> AsyncIterator[Litestar]:
    app = create_app(fast)
    yield app
    await app.state.database.dispose()


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


@pytest.fixture
async def ada(database: Database, app: Litestar) -> Any:
    """A student with a password; her id."""
    async with database.service(ServiceDoor.SEED) as uow:
        id_ = await service.create_user(
            uow,
            name="Ada Byron",
            email=EMAIL,
            role=Role.STUDENT,
            time_zone="Europe/London",
            password=PASSWORD,
        )
        await uow.commit()
    return id_


@pytest.fixture
async def browsers(app: Litestar, database: Database, fast: Settings) -> AsyncIterator[Open]:
    """Opens browsers: `await browsers()` nobody's, `await browsers(user_id)` one that is signed in."""
    opened: list[httpx.AsyncClient] = []

    async def open_(user_id: Any = None, person: str = "anonymous", **options: str) -> Browser:
        browser = Browser(app, person, **options)
        opened.append(browser.http)
        if user_id is not None:
            async with database.service(ServiceDoor.SIGN_IN) as uow:
                claim = Claim(browser.http.headers["user-agent"])
                browser.carry(await web_sessions.start(uow, fast, user_id, claim))
                await uow.commit()
        return browser

    yield open_
    for http in opened:
        await http.aclose()


@pytest.fixture
def mails(database: Database, fast: Settings) -> Mails:
    """What would be mailed now, oldest first: `await mails("verify_email")`."""

    async def compose(kind: str) -> list[Message]:
        async with database.service(ServiceDoor.JOB) as uow:
            query = sa.select(OutboxEvent.payload).where(OutboxEvent.type == "notification/send")
            payloads = (await uow.session.execute(query.order_by(OutboxEvent.id))).scalars().all()
            found: list[Message] = []
            for payload in payloads:
                if payload["kind"] == kind:
                    found += await NOTICES[kind](uow, fast, payload)
            return [message for message in found if message.skip is None]

    return compose


def path_of(link: str) -> str:
    """The path of a link on our own site."""
    assert link.startswith("http://127.0.0.1:8000/"), link
    return link.removeprefix("http://127.0.0.1:8000")
