"""The load generator: counts whole answers, and stops at the first that is not the measure's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bench import load

Answer = Callable[[int, asyncio.StreamWriter], Awaitable[None]]
BODY = b"x" * 5000


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[int]:
    """Answers requests by their number; gives the port."""
    numbers = itertools.count(1)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await answer(next(numbers), writer)
        except asyncio.IncompleteReadError:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as serving:
        yield serving.sockets[0].getsockname()[1]


async def well(number: int, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + BODY)


async def in_pieces(number: int, writer: asyncio.StreamWriter) -> None:
    for piece in (b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 5000\r\n\r\n", BODY[:10], BODY[10:]):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)


async def refuses_the_third(number: int, writer: asyncio.StreamWriter) -> None:
    status = b"429 Too Many Requests" if number == 3 else b"200 OK"
    writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 4\r\n\r\nslow")


async def without_a_length(number: int, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")


async def hangs_up(number: int, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("answer", [well, in_pieces])
async def test_every_request_is_answered_once(answer: Answer) -> None:
    requests = itertools.repeat(load.get("/"), 20)
    async with server(answer) as port:
        tally = await load.run(port, requests, expected=200, connections=4, seconds=30)
    assert tally.statuses == {200: 20}
    assert tally.count == 20
    assert tally.per_second == pytest.approx(20 / tally.seconds)
    assert 0 < tally.median_ms < tally.seconds * 1000


async def test_it_stops_when_the_time_is_over() -> None:
    async with server(well) as port:
        tally = await load.run(
            port, itertools.repeat(load.get("/")), expected=200, connections=2, seconds=0.05
        )
    assert tally.count >= 2
    assert tally.seconds >= 0.05


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refuses_the_third, "status 429 instead of 200: b'slow'"),
        (without_a_length, "without a length"),
        (hangs_up, "hung up"),
    ],
)
async def test_anything_else_ends_the_measure(answer: Answer, said: str) -> None:
    async with server(answer) as port:
        with pytest.raises(load.UnexpectedAnswer, match=said):
            await load.run(port, itertools.repeat(load.get("/")), expected=200, connections=1, seconds=30)
