"""The SQL of the video room: the session that people meet for, and the tokens that open it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.booking.models import SessionStatus
from app.core.unit_of_work import UnitOfWork
from app.video.models import CallToken
from app.video.rules import Meeting
from app.video.words import CHANNEL

_MEETING: Final = (
    "select s.id, s.mentor_id, s.student_id, s.status, s.scheduled_at, s.ends_at, p.remaining_sessions"
    " from sessions s join session_packs p on p.id = s.pack_id where s.id = %(id)s"
)
_CALL_OUT: Final = (
    "select count(pg_notify(%(channel)s, payload))"
    " from (select payload from unnest(%(payloads)s::text[]) with ordinality as all_of_them (payload, number)"
    " order by number) as in_order"
)


async def meeting(uow: UnitOfWork, session_id: UUID) -> Meeting | None:
    """The meeting, None if there is none or the asker may not see it."""
    row = await uow.fetch_one(_MEETING, {"id": session_id})
    if row is None:
        return None
    id_, mentor_id, student_id, status, start, end, remaining = row
    return Meeting(id_, mentor_id, student_id, SessionStatus(status), start, end, remaining)


async def add_token(
    uow: UnitOfWork, session_id: UUID, token_hash: bytes, now: datetime, expires_at: datetime
) -> None:
    """A token for the asker."""
    values = {
        "session_id": session_id,
        "user_id": uow.user_id,
        "token_hash": token_hash,
        "issued_at": now,
        "expires_at": expires_at,
    }
    await uow.session.execute(sa.insert(CallToken).values(**values))


async def use_token(
    uow: UnitOfWork, session_id: UUID, user_id: UUID, token_hash: bytes, now: datetime
) -> bool:
    """Use up a token for this session and this user; False if it is another's, expired, used or unknown.

    Service unit of work. Of two who come with the same token at once one waits for the other, and finds it used.
    """
    used = (
        sa.update(CallToken)
        .where(
            CallToken.token_hash == token_hash,
            CallToken.session_id == session_id,
            CallToken.user_id == user_id,
            CallToken.used_at.is_(None),
            CallToken.expires_at > now,
        )
        .values(used_at=now)
        .returning(CallToken.id)
    )
    return (await uow.session.execute(used)).one_or_none() is not None


async def call_out(uow: UnitOfWork, payloads: Sequence[str]) -> None:
    """Call out to all processes, in this order, what `app.video.words` made of a word; heard after the commit."""
    await uow.fetch_one(_CALL_OUT, {"channel": CHANNEL, "payloads": list(payloads)})
