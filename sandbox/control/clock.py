"""Moving business time, stopping wherever the platform has something to do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from whenever import Instant, ItemizedDelta

from sandbox.clock import BusinessClock
from sandbox.control.due import platform
from sandbox.control.errors import ControlError, body_of
from sandbox.google.times import parse_instant
from sandbox.http import HttpRequest, HttpResponse, json_answer

FARTHEST = datetime(2200, 1, 1, tzinfo=UTC)


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to: `advance` an ISO 8601 duration (days are 24 h, months are UTC's), or `set` an RFC 3339 instant."""

    advance: str = ""
    set: str = ""
    jump: bool = False


class Mover:
    """Moves the clock, one move at a time."""

    def __init__(self, clock: BusinessClock, database_url: str, idle_seconds: float) -> None:
        self._clock = clock
        self._database_url = database_url
        self._idle_seconds = idle_seconds
        self._lock = asyncio.Lock()

    async def move(self, wish: Move) -> dict[str, Any]:
        """Carry out a move; gives {now, offset_seconds, stops}, `stops` being the instants it halted at.

        Raises ControlError: 400 for a wish that makes no sense or leads backwards, 502 and 504 as `due` does. After
        an error business time stays where it stopped.
        """
        async with self._lock:
            target = self._target(wish)
            stops = await self._halting(target) if self._database_url and not wish.jump else []
            self._clock.reach(target)
            if self._database_url:
                async with platform(self._database_url) as due:
                    await due.drained(self._clock, self._idle_seconds)
        return state(self._clock) | {"stops": [stop.isoformat() for stop in stops]}

    async def _halting(self, target: datetime) -> list[datetime]:
        stops: list[datetime] = []
        async with platform(self._database_url) as due:
            await due.drained(self._clock, self._idle_seconds)
            while True:
                at = await due.next_at(self._clock.now())
                if at is None or at > target:
                    return stops
                self._clock.reach(at)
                stops.append(at)
                await due.drained(self._clock, self._idle_seconds)

    def _target(self, wish: Move) -> datetime:
        if bool(wish.advance) == bool(wish.set):
            raise ControlError(
                400, "give one of `advance` (such as P3D) and `set` (such as 2026-12-01T09:00:00Z)"
            )
        now = self._clock.now()
        target = _later(now, wish.advance) if wish.advance else _instant(wish.set)
        if target < now:
            raise ControlError(400, f"business time is {now.isoformat()} and never goes back")
        if target > FARTHEST:
            raise ControlError(400, f"that is beyond {FARTHEST.isoformat()}")
        return target


def _later(now: datetime, duration: str) -> datetime:
    try:
        return Instant(now).to_tz("UTC").add(ItemizedDelta.parse_iso(duration)).to_instant().to_stdlib()
    except (ValueError, OverflowError):
        raise ControlError(400, f"advance={duration!r} is no ISO 8601 duration that can be added") from None


def _instant(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(parse_instant(text), UTC)
    except (ValueError, OverflowError):
        raise ControlError(400, f"set={text!r} is no RFC 3339 instant") from None


def state(clock: BusinessClock) -> dict[str, Any]:
    """Business time now, and how far it is ahead of machine time."""
    return {"now": clock.now().isoformat(), "offset_seconds": clock.offset.total_seconds()}


@get("/clock")
async def show_clock(clock: NamedDependency[BusinessClock]) -> HttpResponse:
    """Business time: {now, offset_seconds}."""
    return json_answer(state(clock))


@post("/clock", status_code=200)
async def move_clock(request: HttpRequest, mover: NamedDependency[Mover]) -> HttpResponse:
    """Move business time forward; answers when the platform is idle."""
    return json_answer(await mover.move(await body_of(request, Move)))


HANDLERS = [show_clock, move_clock]
