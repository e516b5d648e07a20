"""A key that comes twice is answered twice with the same answer: kept for 24 hours, successes only.

The row is written in the transaction it answers for, so that neither exists without the other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.booking.refusals import NOT_BOOKED, BookingRefused, refusal
from app.core import clock
from app.core.models import IdempotencyKey
from app.core.unit_of_work import UnitOfWork

KEPT: Final = timedelta(hours=24)


@dataclass(frozen=True)
class Idempotency:
    """The asker's key for one request at one route."""

    route: str
    key: str


async def earlier_answer(uow: UnitOfWork, asked: Idempotency, body: str) -> dict[str, Any] | None:
    """The answer that was given to this key, if any.

    Raises BookingRefused("idempotency_mismatch") where it came with another body.
    """
    query = sa.select(IdempotencyKey.body_hash, IdempotencyKey.response).where(
        IdempotencyKey.user_id == uow.user_id,
        IdempotencyKey.route == asked.route,
        IdempotencyKey.key == asked.key,
        IdempotencyKey.created_at > clock.now() - KEPT,
    )
    row = (await uow.session.execute(query)).one_or_none()
    if row is None:
        return None
    if row.body_hash != _digest(body):
        raise BookingRefused(refusal("idempotency_mismatch", NOT_BOOKED))
    answer: dict[str, Any] = row.response
    return answer


async def remember(uow: UnitOfWork, asked: Idempotency, body: str, answer: dict[str, Any]) -> None:
    """Keep the answer; a key older than 24 hours starts anew."""
    now = clock.now()
    fresh = {"body_hash": _digest(body), "response": answer, "created_at": now}
    statement = insert(IdempotencyKey).values(user_id=uow.user_id, route=asked.route, key=asked.key, **fresh)
    await uow.session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "route", "key"],
            set_=fresh,
            where=IdempotencyKey.created_at <= now - KEPT,
        )
    )


def _digest(body: str) -> bytes:
    return hashlib.sha256(body.encode()).digest()
