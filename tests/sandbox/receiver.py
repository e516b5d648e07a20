"""A small server that keeps what vendors deliver: path, headers (names in lower case) and body of each message."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.sandbox import serving


class Receiver:
    """What arrives at `url`; each message is answered with `status`."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.messages: queue.Queue[dict[str, str]] = queue.Queue()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Keep a message, then answer it."""
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        self.messages.put({**headers, "path": scope["path"], "body": body.decode()})

    def next(self) -> dict[str, str]:
        """The next message, waited for."""
        return self.messages.get(timeout=10)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    with serving(receiver) as url:
        receiver.url = url
        yield receiver
