"""A small HTTP/1.1 load generator: keep-alive connections, each asks again as soon as its answer is in."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import cast

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


class UnexpectedAnswer(Exception):
    """An answer that the measure can't be made with; the message holds what came."""


@dataclass
class Tally:
    """What came back: how often each status, milliseconds of each request, and how long it all took."""

    statuses: Counter[int] = field(default_factory=Counter)
    times_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """How many requests were answered."""
        return len(self.times_ms)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.count / self.seconds

    @property
    def median_ms(self) -> float:
        """Half of the requests took no longer."""
        return median(self.times_ms)


class Connection(asyncio.Protocol):
    """One connection that takes requests from `requests` until they end or the time is over."""

    def __init__(self, requests: Iterator[bytes], expected: int, deadline: float, tally: Tally) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._expected = expected
        self._deadline = deadline
        self._tally = tally
        self._received = bytearray()
        self._body_starts = 0
        self._ends = 0
        self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop has transports of its own
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Count the answer once it is whole, then ask again."""
        self._received += data
        try:
            if not self._ends and not self._read_head():
                return
            if len(self._received) >= self._ends:
                self._count()
                self._ask()
        except UnexpectedAnswer as error:
            self._finish(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server hung up: fine only after the last answer."""
        self._finish(UnexpectedAnswer(f"the server hung up: {exc}"))

    def _ask(self) -> None:
        request = next(self._requests, None) if time.perf_counter() < self._deadline else None
        if request is None:
            self._finish(None)
            return
        self._begun = time.perf_counter()
        self._transport.write(request)

    def _read_head(self) -> bool:
        end = self._received.find(_END_OF_HEAD)
        if end < 0:
            return False
        head = bytes(self._received[:end]).lower() + b"\r\n"
        at = head.find(_LENGTH)
        if at < 0:
            raise UnexpectedAnswer(f"an answer without a length: {head!r}")
        self._body_starts = end + len(_END_OF_HEAD)
        self._ends = self._body_starts + int(head[at + len(_LENGTH) : head.index(b"\r\n", at)])
        return True

    def _count(self) -> None:
        status = int(self._received[9:12])
        if status != self._expected:
            body = bytes(self._received[self._body_starts : self._body_starts + 500])
            raise UnexpectedAnswer(f"status {status} instead of {self._expected}: {body!r}")
        self._tally.statuses[status] += 1
        self._tally.times_ms.append((time.perf_counter() - self._begun) * 1000)
        self._received.clear()
        self._ends = 0

    def _finish(self, error: UnexpectedAnswer | None) -> None:
        self._transport.close()
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


async def run(
    port: int, requests: Iterator[bytes], *, expected: int, connections: int, seconds: float
) -> Tally:
    """Ask a server on this machine for `seconds` over that many connections at once.

    Raises UnexpectedAnswer at the first answer with another status than `expected`.
    """
    loop = asyncio.get_running_loop()
    tally = Tally()
    begun = time.perf_counter()
    opened = [
        await loop.create_connection(
            lambda: Connection(requests, expected, begun + seconds, tally), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for _, connection in opened))
    tally.seconds = time.perf_counter() - begun
    return tally


def get(path: str, headers: dict[str, str] | None = None) -> bytes:
    """A GET request on the wire."""
    return _request("GET", path, headers or {}, b"")


def post(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A POST request on the wire."""
    return _request("POST", path, {**headers, "content-length": str(len(body))}, body)


def _request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    everybody = {"host": "127.0.0.1", "accept-encoding": "gzip"}
    lines = [f"{name}: {value}" for name, value in {**everybody, **headers}.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines]).encode() + _END_OF_HEAD + body
