"""Two real web processes, and sockets over a real network: what one says the other's page hears; one is killed, one stopped."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.accounts import web_sessions
from app.accounts.web_sessions import Browser
from app.booking.service import SessionFacts
from app.core.rls import ServiceDoor
from app.dev.local import web_command
from app.settings import Settings
from tests.booking.support import Desk
from tests.support.processes import Program, kill, running, until
from tests.video.world import just_begun, move

PATIENCE_SECONDS = 30


@dataclass
class Process:
    """A web process, and where it answers."""

    program: Program
    url: str


@dataclass
class Person:
    """Somebody's browser, which may ask any of the processes."""

    cookie: str
    session: SessionFacts

    async def token(self, url: str) -> str:
        async with httpx.AsyncClient(base_url=url, cookies={"session": self.cookie}, timeout=20) as client:
            await client.get("/privacy")
            headers = {"x-csrftoken": client.cookies["csrftoken"]}
            answer = await client.post(f"/api/video/{self.session.id}/token", headers=headers)
            assert answer.status_code == 201, answer.text
            return answer.json()["token"]  # type: ignore[no-any-return]

    def dial(self, url: str) -> connect:
        headers = {"cookie": f"session={self.cookie}"}
        where = f"{url.replace('http', 'ws', 1)}/sessions/{self.session.id}/signal"
        return connect(where, origin=websockets.Origin(url), additional_headers=headers, max_size=None)

    async def join(self, stack: AsyncExitStack, process: Process, page: str) -> ClientConnection:
        token = await self.token(process.url)
        line = await stack.enter_async_context(self.dial(process.url))
        await say(line, type="join", token=token, page=page)
        await told(line, "joined")
        return line


async def say(line: ClientConnection, **frame: Any) -> None:
    await line.send(json.dumps(frame))


async def told(line: ClientConnection, type_: str) -> dict[str, Any]:
    """The next frame of that type."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            frame: dict[str, Any] = json.loads(await line.recv())
            if frame["type"] == type_:
                return frame


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def processes(stack: AsyncExitStack, open_settings: Settings, desk: Desk) -> list[Process]:
    """Two, as the platform starts them."""
    return await asyncio.gather(*(_started(stack, open_settings, port) for port in _free_ports(2)))


async def _started(stack: AsyncExitStack, settings: Settings, port: int) -> Process:
    url = f"http://127.0.0.1:{port}"
    command = web_command("127.0.0.1", port)
    assert command[0] == "-m"
    program = await stack.enter_async_context(running(replace(settings, public_url=url), *command[1:]))

    async def answers() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{url}/api/health")).status_code == 200
        except httpx.TransportError:
            return False

    await until("the web process answers", answers)
    return Process(program, url)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as opened:
        probes = [opened.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@pytest.fixture
async def people(desk: Desk, booked: SessionFacts, settings: Settings) -> dict[str, Person]:
    """The two, signed in, in the middle of their session."""
    await move(desk, booked.id, just_begun())
    async with desk.database.service(ServiceDoor.SIGN_IN) as uow:
        cookies = {
            who: await web_sessions.start(uow, settings, desk.cast[who], Browser())
            for who in ("mentor", "student")
        }
        await uow.commit()
    return {who: Person(cookie, booked) for who, cookie in cookies.items()}


async def test_two_processes_one_room(
    stack: AsyncExitStack, processes: list[Process], people: dict[str, Person]
) -> None:
    one, two = processes
    mentor = await people["mentor"].join(stack, one, "m")
    student = await people["student"].join(stack, two, "s")
    assert (await told(mentor, "other"))["page"] == "s"
    assert (await told(student, "other"))["page"] == "m"
    for size in (10, 7_000, 60_000):
        data = {"sdp": secrets.token_hex(size // 2)}
        await say(mentor, type="signal", data=data)
        assert (await told(student, "signal"))["data"] == data
        await say(student, type="signal", data=data)
        assert (await told(mentor, "signal"))["data"] == data

    newer = await people["student"].join(stack, one, "s2")
    await told(student, "replaced")
    with pytest.raises(ConnectionClosed) as closed:
        await student.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4409
    assert (await told(mentor, "other"))["page"] == "s2"
    await say(newer, type="leave")
    assert (await told(mentor, "gone"))["left"] is True


async def test_a_killed_process_and_a_stopped_one(
    stack: AsyncExitStack, processes: list[Process], people: dict[str, Person], desk: Desk
) -> None:
    """Killed, its people come back by the other process at once, and without them the other is told. Stopped, it says so."""
    one, two = processes
    mentor = await people["mentor"].join(stack, one, "m")
    student = await people["student"].join(stack, two, "s")
    await told(mentor, "other")
    await told(student, "other")
    await kill(two.program)
    with pytest.raises(ConnectionClosed):
        await student.recv()
    began = time.monotonic()
    again = await people["student"].join(stack, one, "s")
    assert (await told(mentor, "other"))["page"] == "s"
    assert (await told(again, "other"))["page"] == "m"
    assert time.monotonic() - began < 10
    stays = await desk.sql(
        "select left_at from session_visits where user_id = :id order by id", id=desk.cast["student"]
    )
    assert [stay.left_at for stay in stays] == [None, None]

    one.program.send_signal(signal.SIGTERM)
    for line in (mentor, again):
        with pytest.raises(ConnectionClosed) as closed:
            await told(line, "never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert await one.program.wait() in (0, -15)
    ended = await desk.sql("select count(*) from session_visits where left_at is not null")
    assert ended == [(2,)], (
        "those whose process was stopped; the killed one's stay ended when it was seen last"
    )


async def test_a_stay_that_nobody_sees_any_more(
    stack: AsyncExitStack, processes: list[Process], people: dict[str, Person], desk: Desk
) -> None:
    """The killed process's person doesn't come back: the other is told at the next look after 45 seconds."""
    one, two = processes
    mentor = await people["mentor"].join(stack, one, "m")
    await people["student"].join(stack, two, "s")
    await told(mentor, "other")
    await kill(two.program)
    await desk.sql(
        "update session_visits set joined_at = joined_at - interval '46 s', seen_at = seen_at - interval '46 s'"
        " where user_id = :id",
        id=desk.cast["student"],
    )
    assert (await told(mentor, "gone"))["left"] is False


async def test_what_the_server_itself_refuses(processes: list[Process], people: dict[str, Person]) -> None:
    url = processes[0].url
    stranger = replace(people["student"], cookie="x")
    with pytest.raises(InvalidStatus) as refused:
        await stranger.dial(url)
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["code"] == "unauthenticated"
    async with people["student"].dial(url) as line:
        await line.send("x" * 70_000)
        with pytest.raises(ConnectionClosed) as closed:
            await line.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
