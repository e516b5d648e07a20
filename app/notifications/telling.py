"""Having people told: events for the outbox, written in the transaction of what they tell.

The catalogue says what makes two events of a kind the same, and which kinds come by time alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.core import clock
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import Anchor, Kind

SEND = "notification/send"


async def tell(uow: UnitOfWork, kind: str, payload: Mapping[str, Any], *, again: str = "") -> None:
    """Have the people whom a catalogue kind concerns told, once for what its key names in `payload` (ids, instants).

    `again`: what makes this a further time, wished by somebody.
    """
    await _write(uow, CATALOGUE[kind], payload, again=again)


async def schedule(uow: UnitOfWork, anchor: Anchor, at: datetime, payload: Mapping[str, Any]) -> None:
    """Have the timed notifications of an anchor that lies at `at` (business time) sent when they are due.

    Those that were due before now are left out. The payload carries the anchor as `anchor_at`: should it move, what
    was written for it before is outdated when its time comes.
    """
    for kind in CATALOGUE.values():
        if kind.timed is None or kind.timed.anchor is not anchor:
            continue
        due = kind.timed.due(at)
        if due > clock.now():
            await _write(uow, kind, {**payload, "anchor_at": iso(at)}, at=due)


async def _write(
    uow: UnitOfWork, kind: Kind, payload: Mapping[str, Any], *, at: datetime | None = None, again: str = ""
) -> None:
    parts = [kind.name, *(str(payload[name]) for name in kind.key), *([again] if again else [])]
    key = ":".join(parts) if kind.key else None
    await uow.emit(SEND, {"kind": kind.name, **payload}, key=key, at=at)
