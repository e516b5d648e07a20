"""The door every vendor request goes through: chaos decides what becomes of it, then it is recorded."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.chaos import Chaos, Fault
from sandbox.record import Recorder, decoded
from sandbox.vendors import Answer, Vendor, owner_of

PAUSE = "sandbox.pause"
FAULT = "sandbox.fault"


async def whole_body(receive: Receive) -> bytes:
    """The request's body, read to its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


class Gate:
    """Wraps the sandbox's application; lets pages and control calls pass untouched."""

    def __init__(self, app: ASGIApp, vendors: dict[str, Vendor], chaos: Chaos, recorder: Recorder) -> None:
        self._app = app
        self._vendors = vendors
        self._chaos = chaos
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        mine = owner_of(scope["path"], self._vendors) if scope["type"] == ScopeType.HTTP else None
        if mine is None:
            await self._app(scope, receive, send)
            return
        vendor, _ = mine
        request: dict[str, Any] = dict(scope)
        path = raw_path(request).removeprefix(f"/{vendor.name}")
        body = await whole_body(receive)
        fault = await self._disturb(vendor, request, path)
        if fault and not fault.after:
            answer, raw = vendor.fault(fault.status, path), None
        else:
            request[FAULT] = fault
            answer, raw = await self._serve(request, body)
            if fault:
                answer, raw = vendor.fault(fault.status, path), None
        note = "" if fault is None else "after" if fault.after else "instead"
        self._recorder.add(vendor.name, request, path, body, answer, note)
        await deliver(answer, raw, send)

    async def _disturb(self, vendor: Vendor, scope: dict[str, Any], path: str) -> Fault | None:
        request = f"{scope['method']} {path}"
        pause = self._chaos.latency(vendor.name, request)
        if vendor.waits_itself:
            scope[PAUSE] = pause
        else:
            await self._chaos.hold(vendor.name, pause)
        return self._chaos.fault(vendor.name, request)

    async def _serve(self, scope: dict[str, Any], body: bytes) -> tuple[Answer, bytes]:
        pending = [body]
        parts: list[Any] = []

        async def replay() -> Any:
            if pending:
                return {"type": "http.request", "body": pending.pop(), "more_body": False}
            return {"type": "http.disconnect"}

        async def collect(message: Message) -> None:
            parts.append(message)

        await self._app(scope, replay, collect)  # type: ignore[arg-type]
        start = parts[0]
        raw = b"".join(part.get("body", b"") for part in parts[1:])
        headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in start["headers"])
        kind = next((v for k, v in headers if k.lower() == "content-type"), "")
        return Answer(start["status"], decoded(raw, kind), headers), raw


def raw_path(scope: dict[str, Any]) -> str:
    """The path as it stood in the request line, percent signs and all."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.split(b"?")[0].decode("latin-1")


async def deliver(answer: Answer, raw: bytes | None, send: Send) -> None:
    """Send the answer; `raw` is its body when the application has rendered it already."""
    headers = list(answer.headers)
    if raw is None:
        raw = b"" if answer.body is None else msgspec.json.encode(answer.body)
        headers += [("content-type", "application/json; charset=utf-8"), ("content-length", str(len(raw)))]
    encoded = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": raw, "more_body": False})
