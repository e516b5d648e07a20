"""A line between one browser and everything else, which can be cut: what goes to the platform passes a TCP proxy, what goes
to the other browser a UDP relay for each address at which one of the two can be reached.

The addresses are exchanged in passing, in the frames of the signalling socket: neither browser ever learns a real one.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from playwright.async_api import Page, WebSocketRoute

HERE = "127.0.0.1"
LARGEST = 65_536
_CANDIDATE = re.compile(r"(candidate:\S+ \d+ udp \d+) (\S+) (\d+) (typ \w+)(?: raddr \S+ rport \d+)?", re.I)
Address = tuple[str, int]


@dataclass
class Relay:
    """Stands for one address: whoever writes to `address` reaches it, and is reached by its answers."""

    line: Line
    target: Address | None
    """None where nobody is reached: an address that this machine doesn't know."""
    ear: socket.socket = field(default_factory=lambda: _udp(HERE))
    ways: dict[Address, socket.socket] = field(default_factory=dict)

    @property
    def address(self) -> Address:
        host, port = self.ear.getsockname()
        return host, port

    def open(self) -> None:
        """Listen."""
        asyncio.get_running_loop().add_reader(self.ear, self._out)

    def close(self) -> None:
        """Stop listening."""
        for one in (self.ear, *self.ways.values()):
            asyncio.get_running_loop().remove_reader(one)
            one.close()

    def _out(self) -> None:
        data, sender = self.ear.recvfrom(LARGEST)
        if self.target is None:
            return
        if sender not in self.ways:
            way = self.ways[sender] = _udp("0.0.0.0")  # noqa: S104 - the target may be on any of our networks
            asyncio.get_running_loop().add_reader(way, self._back, way, sender)
        self.line.pass_on(self.ways[sender], data, self.target)

    def _back(self, way: socket.socket, sender: Address) -> None:
        with suppress(ConnectionRefusedError):  # the target has closed its port
            data, _ = way.recvfrom(LARGEST)
            self.line.pass_on(self.ear, data, sender)


class Line:
    """Made by `line_to`; `url` is the platform as it is seen through it."""

    def __init__(self, host: str, port: int) -> None:
        self.url = ""
        self._platform = host, port
        self._relays: dict[Address, Relay] = {}
        self._whole = asyncio.Event()
        self._whole.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._refuses = False

    @asynccontextmanager
    async def cut(self, seconds: float, *, silently: bool) -> AsyncIterator[None]:
        """Nothing passes for so long. `silently`: connections don't break, they only stand still."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        timer = loop.call_later(seconds, over.set)
        self._whole.clear()
        self._refuses = not silently
        if not silently:
            for writer in self._open:
                writer.transport.abort()
        try:
            yield
            await over.wait()
        finally:
            timer.cancel()
            self._refuses = False
            self._whole.set()

    async def carry(self, page: Page) -> None:
        """Lead the page's pictures and sounds through here, too. Before it is loaded."""
        await page.route_web_socket(re.compile(r"/signal$"), self._through)

    def pass_on(self, through: socket.socket, data: bytes, to: Address) -> None:
        """A datagram, unless the line is cut."""
        if self._whole.is_set():
            with suppress(OSError):  # not sent is lost, as datagrams are
                through.sendto(data, to)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection to the platform."""
        if self._refuses:
            writer.transport.abort()
            return
        await self._whole.wait()
        there, back = await asyncio.open_connection(*self._platform)
        pair = {writer, back}
        self._open |= pair
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            self._open -= pair
            for one in pair:
                one.close()

    def close(self) -> None:
        """Close every relay."""
        for relay in self._relays.values():
            relay.close()
        for writer in self._open:
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(LARGEST):
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def _through(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        page.on_message(lambda frame: server.send(self._exchanged(frame)))
        server.on_message(lambda frame: page.send(self._exchanged(frame)))

    def _exchanged(self, frame: str | bytes) -> str:
        text = frame if isinstance(frame, str) else frame.decode()
        return _CANDIDATE.sub(self._relayed, text)

    def _relayed(self, found: re.Match[str]) -> str:
        before, host, port, kind = found.groups()
        relay = self._relays.get((host, int(port)))
        if relay is None:
            relay = self._relays[host, int(port)] = Relay(self, _reachable(host, int(port)))
            relay.open()
        return "{} {} {} {}".format(before, *relay.address, kind)


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    """A line to the platform at `url`."""
    host, _, port = url.removeprefix("http://").partition(":")
    line = Line(host, int(port))
    server = await asyncio.start_server(line.serve, HERE, 0)
    line.url = f"http://{HERE}:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        line.close()


def _reachable(host: str, port: int) -> Address | None:
    try:
        return str(IPv4Address(host)), port
    except ValueError:
        return None


def _udp(host: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind((host, 0))
    return made
