"""The gateway's WebSocket: what a client may say when, and how frames are packed."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import WebSocket, websocket
from litestar.di import NamedDependency

from sandbox.chaos import Chaos
from sandbox.discord.gateway import (
    HEARTBEAT,
    HEARTBEAT_ACK,
    HELLO,
    IDENTIFY,
    INVALID_SESSION,
    RESUME,
    Closing,
    Gateway,
    Line,
)
from sandbox.discord.http import is_bot
from sandbox.discord.service import Discord
from sandbox.discord.shown import bot_itself, guild_event

HEARTBEAT_SECONDS = 41.25
GUILDS = 1
IGNORED = frozenset(
    {3, 4, 8, 31, 43}
)  # presence, voice, members, sounds, channels: nothing here hangs on them
Socket = WebSocket[Any, Any, Any]


class Packer:
    """Frames as the address asked for them: one zlib stream over all, or each alone."""

    def __init__(self, compress: str) -> None:
        self._stream = zlib.compressobj() if compress == "zlib-stream" else None
        self.alone = False

    async def send(self, socket: Socket, payload: dict[str, Any]) -> None:
        """Send one payload."""
        raw = msgspec.json.encode(payload)
        if self._stream:
            await socket.send_bytes(self._stream.compress(raw) + self._stream.flush(zlib.Z_SYNC_FLUSH))
        elif self.alone:
            await socket.send_bytes(zlib.compress(raw))
        else:
            await socket.send_text(raw.decode())


@dataclass
class Talk:
    """One conversation with a client."""

    discord: Discord
    gateway: Gateway
    chaos: Chaos
    line: Line
    packer: Packer
    address: str

    def heard(self, raw: str | bytes) -> None:
        """React to what the client said."""
        try:
            said = msgspec.json.decode(raw)
            op, data = said["op"], said.get("d")
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
            self.line.close(4002, "Error while decoding payload.")
            return
        if op == HEARTBEAT:
            self.line.send({"op": HEARTBEAT_ACK, "d": None})
        elif op in (IDENTIFY, RESUME):
            self._enter(op, data if isinstance(data, dict) else {})
        elif not self.line.session:
            self.line.close(4003, "Not authenticated.")
        elif op not in IGNORED:
            self.line.close(4001, "Unknown opcode.")

    def _enter(self, op: int, data: dict[str, Any]) -> None:
        if self.line.session:
            self.line.close(4005, "Already authenticated.")
        elif not is_bot(self.discord, self.chaos, str(data.get("token", "")).removeprefix("Bot ")):
            self.line.close(4004, "Authentication failed.")
        elif op == IDENTIFY:
            self._identify(data)
        elif not self.gateway.resume(self.line, str(data.get("session_id")), _number(data.get("seq"))):
            self.line.send({"op": INVALID_SESSION, "d": False})

    def _identify(self, data: dict[str, Any]) -> None:
        intents = _number(data.get("intents"))
        if intents < 0:
            self.line.close(4013, "Invalid intent(s).")
            return
        self.packer.alone = data.get("compress") is True
        session = self.gateway.identify(self.line, intents)
        self.gateway.tell(session, "READY", self._ready(session, data))
        if intents & GUILDS:
            self.gateway.tell(session, "GUILD_CREATE", guild_event(self.discord))

    def _ready(self, session: str, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "v": 10,
            "user_settings": {},
            "user": bot_itself(self.discord),
            "session_type": "normal",
            "session_id": session,
            "resume_gateway_url": self.address,
            "shard": data.get("shard") or [0, 1],
            "relationships": [],
            "private_channels": [],
            "presences": [],
            "guilds": [{"id": self.discord.guild_id, "unavailable": True}],
            "application": {"id": self.discord.bot_id, "flags": 0},
            "_trace": [],
        }


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


@websocket("/gateway")
async def connect(
    socket: Socket,
    discord: NamedDependency[Discord],
    gateway: NamedDependency[Gateway],
    chaos: NamedDependency[Chaos],
) -> None:
    """A bot's connection. The chaos dial's faults refuse it before it begins ("GET /gateway")."""
    if chaos.fault("discord", "GET /gateway"):
        await socket.close(1013)
        return
    await socket.accept()
    compress = socket.query_params.get("compress") or ""
    line, packer = Line(), Packer(compress)
    talk = Talk(
        discord, gateway, chaos, line, packer, str(socket.url.with_replacements(query="")).rstrip("?")
    )
    gateway.join(line)
    if compress in ("", "zlib-stream") and socket.query_params.get("encoding") == "json":
        line.send({"op": HELLO, "d": {"heartbeat_interval": int(HEARTBEAT_SECONDS * 1000), "_trace": []}})
    else:
        line.close(4002, "Served here are encoding=json, and compress=zlib-stream or none.")
    speaking = asyncio.create_task(_speak(socket, line, packer))
    code = 1006
    try:
        code = await _listen(socket, talk)
    finally:
        gateway.leave(line, code)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)


async def _speak(socket: Socket, line: Line, packer: Packer) -> None:
    """Send what is put on the line, until its end."""
    while True:
        next_one = await line.outgoing.get()
        if isinstance(next_one, Closing):
            await socket.close(next_one.code, next_one.reason)
            return
        await packer.send(socket, next_one)


async def _listen(socket: Socket, talk: Talk) -> int:
    """Hear the client out; gives the code that it ended the connection with, 1006 for none of its own."""
    while True:
        try:
            message = await asyncio.wait_for(socket.receive(), 2 * HEARTBEAT_SECONDS)
        except TimeoutError:
            talk.line.close(4009, "Session timed out.")
            continue
        if message["type"] == "websocket.disconnect":
            return int(message.get("code") or 1006)
        if message["type"] == "websocket.receive":
            talk.heard(message.get("bytes") or message.get("text") or "")


HANDLERS = [connect]
