"""A page's socket as the server sees it, without a network: handshake, frames, the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

from litestar import Litestar

ORIGIN = "http://127.0.0.1:8000"
PATIENCE_SECONDS = 20
EXTENSIONS: dict[str, Any] = {"websocket.http.response": {}}


class Wire:
    """One socket. `status`: what an unaccepted handshake was answered with; `code`: what the socket was closed with."""

    def __init__(self, app: Litestar, path: str, headers: dict[str, str], extensions: dict[str, Any]) -> None:
        self.accepted = False
        self.status: int | None = None
        self.problem: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.code: int | None = None
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._received.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "subprotocols": [],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
            "extensions": extensions,
            "state": {},
        }
        self.task = asyncio.create_task(
            cast(Any, app)(scope, self._received.get, self._sent.put), name=f"socket {path}"
        )

    async def opened(self) -> Wire:
        """The socket once the handshake is answered."""
        message = await self._message()
        if message["type"] == "websocket.accept":
            self.accepted = True
        elif message["type"] == "websocket.close":
            self.code = message["code"]
        else:
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            self.problem = json.loads((await self._message())["body"])
        return self

    def say(self, **frame: Any) -> None:
        """A frame from the page."""
        self.say_text(json.dumps(frame))

    def say_text(self, text: str) -> None:
        """A frame as it is."""
        self._received.put_nowait({"type": "websocket.receive", "text": text, "bytes": None})

    def say_bytes(self, data: bytes) -> None:
        """A binary frame."""
        self._received.put_nowait({"type": "websocket.receive", "text": None, "bytes": data})

    async def told(self, type_: str) -> dict[str, Any]:
        """The next frame of that type; those before it are passed by, but for one that ends the socket."""
        while True:
            frame = await self.next()
            if frame["type"] == type_:
                return frame
            assert frame["type"] not in ("replaced", "closed", "refused"), frame

    async def next(self) -> dict[str, Any]:
        """The next frame. Raises ConnectionError with the code once the socket is closed."""
        message = await self._message()
        if message["type"] == "websocket.close":
            self.code = message["code"]
            raise ConnectionError(f"closed with {self.code}")
        return cast("dict[str, Any]", json.loads(message["text"]))

    async def ended(self) -> tuple[dict[str, Any] | None, int | None]:
        """The last frame and the code, once the server is done with the socket."""
        last = None
        with suppress(ConnectionError):
            while True:
                last = await self.next()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.task
        return last, self.code

    async def lose(self) -> None:
        """The network is gone, without a word; returns when the server has understood."""
        self._received.put_nowait({"type": "websocket.disconnect", "code": 1006})
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.task

    def silent(self) -> bool:
        """True if nothing more was sent."""
        return self._sent.empty()

    async def _message(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._sent.get()


@asynccontextmanager
async def dialed(
    app: Litestar,
    session_id: object,
    cookie: str | None,
    *,
    origin: str | None = ORIGIN,
    extensions: dict[str, Any] = EXTENSIONS,
    **headers: str,
) -> AsyncIterator[Wire]:
    """A socket whose handshake is answered; its network is lost at the end of the block."""
    sent = {"host": "127.0.0.1:8000", **headers}
    if origin is not None:
        sent["origin"] = origin
    if cookie is not None:
        sent["cookie"] = f"session={cookie}"
    wire = Wire(app, f"/sessions/{session_id}/signal", sent, extensions)
    try:
        yield await wire.opened()
    finally:
        await wire.lose()
