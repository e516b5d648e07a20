"""The gateway: sessions of bots, the events they get, and replaying what one missed when it resumes.

Sessions and their newest events survive a restart of the sandbox, as Discord's survive that of one of its machines.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sandbox.state import Collection, Store

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT = 0, 1, 2, 6, 7
INVALID_SESSION, HELLO, HEARTBEAT_ACK = 9, 10, 11
RESUME_SECONDS = 180.0
EVENTS_KEPT = 1000


class Session(msgspec.Struct, frozen=True):
    """A bot's session: number of its last event, intents, and since when (machine time) it has no connection."""

    id: str
    seq: int
    intents: int
    parted: float | None = None


class Event(msgspec.Struct, frozen=True):
    """Something a session was told."""

    session: str
    seq: int
    name: str
    data: dict[str, Any]

    def payload(self) -> dict[str, Any]:
        """The event as it goes over the wire."""
        return {"op": DISPATCH, "s": self.seq, "t": self.name, "d": self.data}


@dataclass(frozen=True)
class Closing:
    """The end of a connection."""

    code: int
    reason: str


@dataclass(eq=False)
class Line:
    """One connection; what is put in `outgoing` is sent in that order."""

    session: str = ""
    outgoing: asyncio.Queue[dict[str, Any] | Closing] = field(default_factory=asyncio.Queue)

    def send(self, payload: dict[str, Any]) -> None:
        """Have something sent."""
        self.outgoing.put_nowait(payload)

    def close(self, code: int, reason: str) -> None:
        """Have the connection closed, after what was put before."""
        self.outgoing.put_nowait(Closing(code, reason))


class Gateway:
    """Everybody's sessions."""

    def __init__(self, store: Store) -> None:
        self._sessions: Collection[Session] = store.collection("discord.sessions", Session)
        self._events: Collection[Event] = store.collection("discord.events", Event)
        self._lines: set[Line] = set()
        for id_, session in self._sessions.items():
            if session.parted is None:
                self._sessions.put(id_, msgspec.structs.replace(session, parted=time.time()))

    def join(self, line: Line) -> None:
        """A new connection."""
        self._lines.add(line)

    def leave(self, line: Line, code: int) -> None:
        """A connection that ended; 1000 and 1001 from its client end its session too."""
        self._lines.discard(line)
        session = self._sessions.get(line.session)
        if session is None or self._line_of(session.id):
            return
        if code in (1000, 1001):
            self._end(session.id)
        else:
            self._sessions.put(session.id, msgspec.structs.replace(session, parted=time.time()))

    def identify(self, line: Line, intents: int) -> str:
        """Begin a session on a connection; gives its id."""
        session = Session(secrets.token_hex(16), 0, intents)
        self._sessions.put(session.id, session)
        line.session = session.id
        return session.id

    def resume(self, line: Line, session_id: str, seq: int) -> bool:
        """Go on with a session on a new connection, told what came after `seq`; False if it can't be."""
        self._sweep()
        session = self._sessions.get(session_id)
        if session is None or not 0 <= seq <= session.seq:
            return False
        before = self._line_of(session_id)
        if before:
            before.session = ""
            before.close(4000, "Session resumed elsewhere")
        self._sessions.put(session_id, msgspec.structs.replace(session, parted=None))
        line.session = session_id
        for event in self._of(session_id):
            if event.seq > seq:
                line.send(event.payload())
        self.tell(session_id, "RESUMED", {"_trace": []})
        return True

    def tell(self, session_id: str, name: str, data: dict[str, Any]) -> None:
        """An event for one session; kept for its resumption, and sent if it has a connection."""
        session = self._sessions.get(session_id)
        if session is None:
            return
        seq = session.seq + 1
        self._sessions.put(session_id, msgspec.structs.replace(session, seq=seq))
        event = self._events.put(f"{session_id}/{seq:010}", Event(session_id, seq, name, data))
        self._events.drop(f"{session_id}/{seq - EVENTS_KEPT:010}")
        line = self._line_of(session_id)
        if line:
            line.send(event.payload())

    def tell_all(self, name: str, data: dict[str, Any], intent: int = 0) -> None:
        """An event for every session that is connected or may come back, and has the intent (0: each has)."""
        self._sweep()
        for session in self._sessions.values():
            if not intent or session.intents & intent:
                self.tell(session.id, name, data)

    def connections(self) -> list[dict[str, Any]]:
        """The sessions: {session, connected, seq}."""
        self._sweep()
        return [
            {"session": s.id, "connected": self._line_of(s.id) is not None, "seq": s.seq}
            for s in self._sessions.values()
        ]

    def drop(self, *, resumable: bool, reconnect: bool = False) -> int:
        """Close every connection (4000), or ask to `reconnect`; gives their number. Not resumable: sessions end."""
        lines = [line for line in self._lines if line.session]
        for line in lines:
            if not resumable:
                self._end(line.session)
            if reconnect:
                line.send({"op": RECONNECT, "d": None})
            else:
                line.close(4000, "Unknown error")
        if not resumable:
            for session in self._sessions.values():
                self._end(session.id)
        return len(lines)

    def clear(self) -> None:
        """End every session and close every connection, as after a start."""
        self.drop(resumable=False)

    def refuse_all(self) -> None:
        """Close every connection because its token is no longer good."""
        for line in self._lines:
            line.close(4004, "Authentication failed.")

    def _line_of(self, session_id: str) -> Line | None:
        return next((line for line in self._lines if line.session == session_id), None)

    def _of(self, session_id: str) -> list[Event]:
        return [event for event in self._events.values() if event.session == session_id]

    def _end(self, session_id: str) -> None:
        for key, event in self._events.items():
            if event.session == session_id:
                self._events.drop(key)
        self._sessions.drop(session_id)

    def _sweep(self) -> None:
        gone = time.time() - RESUME_SECONDS
        for session in self._sessions.values():
            if session.parted is not None and session.parted < gone:
                self._end(session.id)
