"""How long an answer takes tells nobody who has an account."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Litestar

from app.asgi import create_app
from app.settings import Settings
from tests.accounts.browser import Browser
from tests.accounts.conftest import EMAIL, PASSWORD

LEAST = 0.4


@pytest.fixture
async def patient(fast: Settings) -> AsyncIterator[Litestar]:
    app = create_app(dataclasses.replace(fast, even_answer_ms=int(LEAST * 1000)))
    yield app
    await app.state.database.dispose()


@pytest.mark.parametrize("path", ["/reset-password", "/check-mail", "/sign-up"])
async def test_known_and_unknown_take_at_least_the_same_time(patient: Litestar, ada: Any, path: str) -> None:
    browser = Browser(patient)
    async with browser.http:
        await browser.get("/privacy")
        for email in (EMAIL, "nobody@example.test"):
            form = {"name": "N", "email": email, "password": PASSWORD, "time_zone": "UTC"}
            start = time.perf_counter()
            answer = await browser.post(path, form)
            assert answer.status_code == 303
            assert time.perf_counter() - start >= LEAST
