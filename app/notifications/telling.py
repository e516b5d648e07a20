"""Having people told: events for the outbox, written in the transaction of what they tell.

The catalogue says what makes two events of a kind the same, and which kinds come by time alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import Anchor, Kind

SEND = "notification/send"

_ALLOW_AGAIN = sa.text(
    "update outbox set key = id::text where type = :type and key = :key and not exists"
    " (select 1 from deliveries d where d.event_id = outbox.id and d.state <> 'skipped')"
)


async def tell(uow: UnitOfWork, kind: str, payload: Mapping[str, Any], *, again: str = "") -> None:
    """Have the people whom a catalogue kind concerns told, once for what its key names in `payload` (ids, instants).

    `again`: what makes this a further time, wished by somebody.
    """
    about = CATALOGUE[kind]
    await uow.emit(SEND, {"kind": kind, **payload}, key=key_of(about, payload, again))


async def schedule(uow: UnitOfWork, anchor: Anchor, at: datetime, payload: Mapping[str, Any]) -> None:
    """Have the timed notifications of an anchor that lies at `at` (business time) sent when they are due.

    Those that were due before now are left out. The payload carries the anchor as `anchor_at`: should it move, what
    was written for it before is outdated when its time comes.
    """
    whole = {**payload, "anchor_at": iso(at)}
    events = [({"kind": kind.name, **whole}, key_of(kind, whole), due) for kind, due in timed_at(anchor, at)]
    await uow.emit_all(SEND, events)


def timed_at(anchor: Anchor, at: datetime) -> list[tuple[Kind, datetime]]:
    """The timed kinds of an anchor that lies at `at` with when they are due, but for those that were before now."""
    dues = [
        (kind, kind.timed.due(at))
        for kind in CATALOGUE.values()
        if kind.timed is not None and kind.timed.anchor is anchor
    ]
    return [(kind, due) for kind, due in dues if due > clock.now()]


async def allow_again(uow: UnitOfWork, payload: Mapping[str, Any]) -> None:
    """For who finds that what an event was to tell is no longer so: should it become so once more, people are told then.

    `payload`: of that event, whose key is free again unless somebody was told. Service unit of work.
    """
    await uow.session.execute(
        _ALLOW_AGAIN, {"type": SEND, "key": key_of(CATALOGUE[payload["kind"]], payload)}
    )


def key_of(kind: Kind, payload: Mapping[str, Any], again: str = "") -> str | None:
    """What makes two events of the kind the same; None where each is its own."""
    if not kind.key:
        return None
    return ":".join([kind.name, *(str(payload[name]) for name in kind.key), *([again] if again else [])])
