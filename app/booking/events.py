"""What others must hear of a change, written to the outbox in the change's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.booking.facts import SessionFacts, SessionRow
from app.booking.models import EventSync
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling
from app.notifications.kinds import Anchor


async def tell(
    uow: UnitOfWork,
    kind: str,
    session: SessionFacts,
    *,
    version: int,
    sync: EventSync,
    before: datetime | None = None,
    used: bool | None = None,
) -> None:
    """Have both people told, and the mentor's calendar written where there is one.

    The payload describes the session as of `version`: a mail says what happened then, even if it is sent later.
    `before`: the start that a moved session had; `used`: whether a cancellation cost the session.
    """
    payload: dict[str, Any] = {
        "session_id": session.id,
        "version": version,
        "start": iso(session.start),
        "end": iso(session.end),
        "actor_id": uow.principal.user_id,
        "actor_role": uow.principal.role,
    }
    if before is not None:
        payload["before"] = iso(before)
    if used is not None:
        payload["used"] = used
    await telling.tell(uow, kind, payload)
    if sync is EventSync.PENDING:
        await write_calendar(uow, session.id, version)


async def tell_series(uow: UnitOfWork, sessions: Sequence[SessionFacts]) -> None:
    """Have both people told of sessions that were booked together, with one word about all of them."""
    first = sessions[0]
    payload = {
        "session_id": first.id,
        "actor_id": uow.principal.user_id,
        "actor_role": uow.principal.role,
        "sessions": [
            {"session_id": session.id, "start": iso(session.start), "end": iso(session.end)}
            for session in sessions
        ],
    }
    await telling.tell(uow, "series_booked", payload)


async def remind(uow: UnitOfWork, session: SessionFacts, start_version: int) -> None:
    """Have both people reminded of a session whose start was set just now, by its version `start_version`."""
    payload = {"session_id": session.id, "version": start_version}
    await telling.schedule(uow, Anchor.SESSION, session.start, payload)


async def write_calendar(uow: UnitOfWork, session_id: UUID, version: int) -> None:
    """Have the mentor's calendar brought in line with the session."""
    await uow.emit("calendar/write", {"session_id": session_id}, key=f"calendar/write:{session_id}:{version}")


async def was_held(uow: UnitOfWork, row: SessionRow, version: int) -> None:
    """The session counts as completed: whoever keeps track of a pack's sessions may look."""
    await uow.emit("session/held", {"pack_id": row.pack_id}, key=f"session/held:{row.id}:{version}")


async def was_reversed(uow: UnitOfWork, row: SessionRow) -> None:
    """A session went back to its pack whose student has no seat any more: somebody who may takes one."""
    key = f"session/reversed:{row.id}:{row.version + 1}"
    await uow.emit("session/reversed", {"session_id": row.id}, key=key)


def sync_after(row: SessionRow) -> EventSync:
    """How far the mentor's calendar is after a change: behind, if there is one."""
    return EventSync.NONE if row.event_sync is EventSync.NONE else EventSync.PENDING
