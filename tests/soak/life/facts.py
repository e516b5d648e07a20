"""What the tables hold at the end of a soak, as the model and the verdict read it: raw rows, nothing worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.db import Database
from app.core.rls import ServiceDoor

_QUERIES = {
    "ledger": "select e.*, k.mentor_id, k.student_id from pack_entries e join session_packs k on k.id = e.pack_id"
    " order by e.at, e.id",
    "packs": "select * from session_packs",
    "sessions": "select * from sessions",
    "seats": "select * from seat_reservations",
    "seat_entries": "select * from seat_entries order by id",
    "waitlist": "select * from waitlist order by joined_at, id",
    "orders": "select * from orders where paid_at is not null",
    "refunds": "select r.*, o.mentor_id, o.student_id from refunds r join orders o on o.id = r.order_id",
    "users": "select * from users",
    "deliveries": "select d.*, o.payload, o.attempts as event_attempts, o.done_at, o.state as event_state"
    " from deliveries d join outbox o on o.id = d.event_id order by d.created_at, d.id",
    "unfinished": "select * from outbox where state = 'dead' or (key not like 'every:%'"
    " and (state = 'queued' or (state = 'new' and available_at <= :now)))",
    "unrecorded": "select * from outbox o where type = 'notification/send' and state = 'done'"
    " and not exists (select 1 from deliveries d where d.event_id = o.id)",
}

Rows = Sequence[Any]


@dataclass(frozen=True)
class Facts:
    """Rows of the tables, each in the order in which things happened where it has one."""

    now: datetime
    ledger: Rows
    packs: Rows
    sessions: Rows
    seats: Rows
    seat_entries: Rows
    waitlist: Rows
    orders: Rows
    refunds: Rows
    users: Rows
    deliveries: Rows
    unfinished: Rows
    unrecorded: Rows


async def facts(database: Database, now: datetime) -> Facts:
    """Everything as it stands at `now` (business time)."""
    found = {}
    async with database.service(ServiceDoor.SEED) as uow:
        for name, query in _QUERIES.items():
            values = {"now": now} if ":now" in query else {}
            found[name] = (await uow.session.execute(sa.text(query), values)).all()
    return Facts(now, **found)
