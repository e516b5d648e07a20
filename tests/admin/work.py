"""What the admin's errands are tried on: a session, dead events, undelivered mails; and everything they leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from tests.cast import Cast

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def sql(database: Database, statement: str, **values: Any) -> Any:
    """Arrange or ask something that no service does."""
    async with database.service(ServiceDoor.SEED) as uow:
        result: Any = await uow.session.execute(sa.text(statement), values)
        rows = result.all() if result.returns_rows else []
        await uow.commit()
        return rows


async def session(database: Database, cast: Cast, start: datetime, **values: Any) -> UUID:
    """A session of the student's pack with the mentor, an hour from `start`."""
    row = {
        "id": new_id(),
        "mentor_id": cast["mentor"],
        "student_id": cast["student"],
        "pack_id": cast.packs["student"],
        "status": "scheduled",
        "scheduled_at": start,
        "ends_at": start + timedelta(hours=1),
        "booked_at": start - timedelta(days=2),
        "version": 0,
        "notes": "",
        "recording_consent": False,
        "event_generation": 0,
        "event_sync": "none",
        **values,
    }
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    await sql(
        database,
        f"insert into sessions ({names}, blocked) values ({marks}, tstzrange(:scheduled_at, :ends_at))",
        **row,
    )
    id_: UUID = row["id"]
    return id_


async def agree_to_recording(database: Database, session_id: UUID) -> None:
    """Both people of a session do."""
    await sql(
        database,
        "insert into recording_consents (session_id, user_id, agreed_at)"
        " select id, unnest(array[mentor_id, student_id]), :now from sessions where id = :id",
        id=session_id,
        now=clock.now(),
    )


async def dead(
    database: Database,
    type_: str = "test/tea",
    payload: Mapping[str, Any] | None = None,
    error: str = "TimeoutError: no answer",
    **values: Any,
) -> UUID:
    """An event that gave up."""
    id_ = new_id()
    now = clock.now()
    row = {"state": "dead", "attempts": 10, "starts": 10, "created_at": now, "available_at": now} | values
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    await sql(
        database,
        f"insert into outbox (id, type, payload, key, last_error, {names})"
        f" values (:id, :type, cast(:payload as jsonb), :key, :error, {marks})",
        id=id_,
        type=type_,
        payload=json.dumps(payload or {}, default=str),
        key=str(id_),
        error=error,
        **row,
    )
    return id_


async def delivery(
    database: Database, recipient_id: UUID, state: str = "failed", error: str = "refused"
) -> UUID:
    """A mail that didn't arrive."""
    id_ = new_id()
    await sql(
        database,
        "insert into deliveries (id, event_id, kind, channel, recipient_id, state, attempts, last_error, created_at)"
        " values (:id, :event, 'pack_granted', 'email', :recipient, :state, 1, :error, :now)",
        id=id_,
        event=new_id(),
        recipient=recipient_id,
        state=state,
        error=error,
        now=clock.now(),
    )
    return id_


TRACES = """
select (select count(*) from pack_entries), (select count(*) from session_packs),
       (select string_agg(concat(expires_at, total_sessions), ',' order by id) from session_packs),
       (select string_agg(concat(id, status), ',' order by id) from seat_reservations),
       (select string_agg(concat(id, state), ',' order by id) from outbox where type not like 'upkeep%'),
       (select string_agg(concat(id, status, notes, recording_url), ',' order by id) from sessions),
       (select count(*) from users), (select count(*) from audit_log)
"""


async def traces(database: Database) -> Any:
    """Everything that an errand could have changed."""
    return await sql(database, TRACES)
