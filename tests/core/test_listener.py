"""The connection that listens: what one hearer can't bear makes nobody deaf."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from app.core.listener import Listener
from app.settings import Settings


async def test_a_hearer_that_fails_hears_the_next(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    listener, heard = Listener(settings.direct_url), asyncio.Queue[int]()
    listener.on("numbers", lambda payload: heard.put_nowait(int(payload)), lambda: None)
    async with listener.running(), asyncio.timeout(20):
        await listener.listening()
        async with await psycopg.AsyncConnection.connect(settings.direct_url, autocommit=True) as other:
            for payload in ("none at all", "7"):
                await other.execute("select pg_notify('numbers', %s)", [payload])
        assert await heard.get() == 7
    assert "a notification on numbers is passed by" in caplog.text
