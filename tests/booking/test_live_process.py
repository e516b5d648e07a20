"""Live updates as browsers get them: from real web processes, two of them, uncompressed, ended by SIGTERM at once."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from app.accounts import web_sessions
from app.accounts.web_sessions import Browser
from app.core.rls import ServiceDoor
from app.core.templating import iso
from app.settings import Settings
from tests.booking.support import Desk
from tests.support.processes import Program, running, until

SERVER = ("uvicorn", "app.asgi:create_app", "--factory", "--loop", "uvloop", "--http", "httptools")


@asynccontextmanager
async def web(settings: Settings) -> AsyncIterator[tuple[Program, str]]:
    """A web process that answers, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"

    async def answers() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{url}/api/health")).status_code == 200
        except httpx.TransportError:
            return False

    async with running(settings, *SERVER, "--port", str(port), "--log-level", "warning") as program:
        await until("the web process answers", answers)
        yield program, url


@pytest.fixture
async def cookie(desk: Desk, settings: Settings) -> str:
    """The student's session."""
    async with desk.database.service(ServiceDoor.SIGN_IN) as uow:
        secret = await web_sessions.start(uow, settings, desk.cast["student"], Browser())
        await uow.commit()
    return secret


@asynccontextmanager
async def listening(url: str, cookie: str, mentor: object) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of an open stream that has begun, as a browser asks for it."""
    headers = {"cookie": f"session={cookie}", "accept-encoding": "gzip, br"}
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", f"{url}/events?mentor_id={mentor}", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 3000"
        yield lines


async def next_data(lines: AsyncIterator[str]) -> str:
    async with asyncio.timeout(10):
        async for line in lines:
            if line.startswith("data:"):
                return line
    raise AssertionError("the stream ended")


async def test_a_booking_reaches_the_pages_of_every_process(
    desk: Desk, open_settings: Settings, cookie: str
) -> None:
    start = (await desk.offers("student"))[0]
    async with AsyncExitStack() as stack:
        programs = await asyncio.gather(*(stack.enter_async_context(web(open_settings)) for _ in range(2)))
        streams = [
            await stack.enter_async_context(listening(url, cookie, desk.cast["mentor"]))
            for _, url in programs
        ]
        await desk.book("student", start)
        expected = f'data: {{"start": "{iso(start)}", "end": "{iso(start + timedelta(hours=1))}"}}'
        assert await asyncio.gather(*(next_data(lines) for lines in streams)) == [expected] * 2
        began = time.monotonic()
        for program, _ in programs:
            program.send_signal(signal.SIGTERM)
        for lines in streams:
            async with asyncio.timeout(10):
                assert [line async for line in lines if line] == []
        assert [await program.wait() for program, _ in programs] in ([0, 0], [-15, -15])
        assert time.monotonic() - began < 5


async def test_open_pages_hold_no_connections(desk: Desk, open_settings: Settings, cookie: str) -> None:
    """Twelve pages listen to a process that has four connections, and it goes on answering."""
    small = dataclasses.replace(open_settings, database_pool_size=2)
    async with AsyncExitStack() as stack:
        _, url = await stack.enter_async_context(web(small))
        for _ in range(12):
            await stack.enter_async_context(listening(url, cookie, desk.cast["mentor"]))
        client = await stack.enter_async_context(httpx.AsyncClient(cookies={"session": cookie}, timeout=5))
        assert (await client.get(f"{url}/sessions")).status_code == 200
