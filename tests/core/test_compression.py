"""What is compressed on its way out, and what is left alone."""

from __future__ import annotations

import gzip
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar, Response, get, head
from litestar.response import ServerSentEvent, Stream
from litestar.static_files import create_static_files_router

from app.core.compression import AT_LEAST_BYTES, Compression

LONG = "ink " * AT_LEAST_BYTES
NOISE = "".join(random.Random(1).choices("abcdefghij", k=10 * AT_LEAST_BYTES))
SHORT = "x" * (AT_LEAST_BYTES - 1)


@get("/long", sync_to_thread=False)
def long() -> Response[str]:
    return Response(LONG, headers={"vary": "Cookie"})


@get("/short", sync_to_thread=False)
def short() -> str:
    return SHORT


@get("/encoded", sync_to_thread=False)
def encoded() -> Response[bytes]:
    return Response(gzip.compress(NOISE.encode()), headers={"content-encoding": "gzip"})


@get("/parts", sync_to_thread=False)
def parts() -> Stream:
    async def each() -> AsyncIterator[str]:
        for part in ("one ", "two ", "", "three"):
            yield part

    return Stream(each())


@get("/events", sync_to_thread=False)
def events() -> ServerSentEvent:
    async def each() -> AsyncIterator[str]:
        yield LONG

    return ServerSentEvent(each())


@head("/long", sync_to_thread=False)
def long_head() -> Response[None]:
    return Response(None, headers={"content-length": str(len(LONG))})


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "page.css").write_text(LONG)
    files = create_static_files_router(path="/static", directories=[tmp_path])
    app: Any = Litestar(
        [long, long_head, short, encoded, parts, events, files],
        middleware=[Compression()],
        openapi_config=None,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here.test") as client:
        yield client


async def test_long_answers_are_gzipped(client: httpx.AsyncClient) -> None:
    answer = await client.get("/long")
    assert answer.text == LONG
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(LONG) / 10
    assert answer.headers["vary"] == "Cookie, Accept-Encoding"


async def test_only_for_those_who_take_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/long", headers={"accept-encoding": "br"})
    assert answer.text == LONG
    assert "content-encoding" not in answer.headers


async def test_short_answers_stay(client: httpx.AsyncClient) -> None:
    answer = await client.get("/short")
    assert answer.text == SHORT
    assert "content-encoding" not in answer.headers


async def test_what_is_encoded_stays(client: httpx.AsyncClient) -> None:
    answer = await client.get("/encoded")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == NOISE


async def test_parts_arrive_whole(client: httpx.AsyncClient) -> None:
    answer = await client.get("/parts")
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-length" not in answer.headers
    assert answer.text == "one two three"


async def test_events_are_not_held_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/events")
    assert "content-encoding" not in answer.headers
    assert LONG in answer.text


async def test_files_are_gzipped(client: httpx.AsyncClient) -> None:
    answer = await client.get("/static/page.css")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == LONG


async def test_a_head_has_no_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/long")
    assert answer.content == b""
    assert answer.headers["content-length"] == str(len(LONG))
