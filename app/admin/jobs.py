"""What happens behind the pages, for admins: the queue, events that gave up, mails that didn't arrive."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.accounts.people import person
from app.admin.health import CHANNELS, WORDS, about
from app.core import audit, clock, outbox
from app.core.errors import NotFound
from app.core.ids import parse_id
from app.core.models import EventState, OutboxEvent
from app.core.unit_of_work import UnitOfWork
from app.notifications.catalogue import CATALOGUE
from app.notifications.models import Delivery, DeliveryState

PER_PAGE: Final = 50
UNDELIVERED: Final = 50
"""The latest so many are shown."""
PAGES: Final = {
    "order_id": ("order", "/admin/orders/{}"),
    "session_id": ("session", "/admin/sessions/{}"),
    "pack_id": ("pack", "/packs/{}"),
    "user_id": ("person", "/admin/users/{}"),
    "student_id": ("student", "/admin/users/{}"),
    "mentor_id": ("instructor", "/admin/users/{}"),
    "recipient_id": ("person", "/admin/users/{}"),
}
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")
_QUEUE = sa.text("select * from admin_queue(:now)")
_recipient = person(Delivery.recipient_id, "recipient")
_dead = OutboxEvent.state == EventState.DEAD


class Queue(msgspec.Struct, frozen=True):
    """Events of the outbox: `waiting` are due, `later` not yet, `handed_over` have a job, `dead` gave up.

    `oldest`: since when the one that waits longest could have begun. Jobs are those of the queue in PostgreSQL; with
    the queue in Redis both are 0.
    """

    waiting: int
    later: int
    handed_over: int
    dead: int
    oldest: datetime | None
    jobs_queued: int
    jobs_active: int
    workers: int


class Failures(msgspec.Struct, frozen=True):
    """Dead events of a type: how many, and what the latest of them died of."""

    type: str
    count: int
    last_error: str
    latest: datetime


class Dead(msgspec.Struct, frozen=True):
    """A dead event. `links`: (word, address) of what it is about, as far as there are pages."""

    id: UUID
    type: str
    about: str
    created_at: datetime
    attempts: int
    starts: int
    error: str
    links: list[tuple[str, str]]


def discreet(error: str | None) -> str:
    """An error as an admin may read it: addresses of people are left out."""
    return _ADDRESS.sub("…", error or "") or "Nothing was said."


async def queue(uow: UnitOfWork) -> Queue:
    """How much there is to do and who does it; for an admin. One query."""
    row = (await uow.session.execute(_QUEUE, {"now": clock.now()})).mappings().one()
    return Queue(**row)


async def failures(uow: UnitOfWork) -> list[Failures]:
    """Types with dead events, the most first. One query."""
    latest = sa.func.array_agg(sa.text("last_error order by available_at desc, id desc"))[1]
    query = (
        sa.select(
            OutboxEvent.type,
            sa.func.count().label("events"),
            latest.label("last_error"),
            sa.func.max(OutboxEvent.available_at).label("latest"),
        )
        .where(_dead)
        .group_by(OutboxEvent.type)
        .order_by(sa.desc("events"), OutboxEvent.type)
    )
    rows = (await uow.session.execute(query)).all()
    return [Failures(row.type, row.events, discreet(row.last_error), row.latest) for row in rows]


async def dead(uow: UnitOfWork, type_: str, *, offset: int) -> list[Dead]:
    """A page of dead events, of a type or of all (""), the latest first; one more than fits where another follows."""
    query = sa.select(
        *(
            getattr(OutboxEvent, name)
            for name in ("id", "type", "payload", "created_at", "attempts", "starts")
        ),
        OutboxEvent.last_error,
    ).where(_dead)
    if type_:
        query = query.where(OutboxEvent.type == type_)
    query = query.order_by(OutboxEvent.available_at.desc(), OutboxEvent.id.desc())
    rows = (await uow.session.execute(query.limit(PER_PAGE + 1).offset(offset))).all()
    return [
        Dead(
            row.id,
            row.type,
            _about(row.payload),
            row.created_at,
            row.attempts,
            row.starts,
            discreet(row.last_error),
            _links(row.payload),
        )
        for row in rows
    ]


def _about(payload: Mapping[str, Any]) -> str:
    kind = CATALOGUE.get(str(payload.get("kind", "")))
    return kind.about if kind else ""


def _links(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name, (word, href) in PAGES.items():
        try:
            found.append((word, href.format(parse_id(str(payload[name])))))
        except (KeyError, NotFound):
            continue
    return found


async def undelivered(uow: UnitOfWork) -> Sequence[Any]:
    """The latest notifications that failed or may have: (id, about, channel, words, error, name …). One query."""
    query = (
        sa.select(
            *(
                getattr(Delivery, name)
                for name in ("id", "kind", "channel", "state", "attempts", "last_error", "created_at")
            ),
            Delivery.recipient_id,
            _recipient.c.name,
        )
        .outerjoin(_recipient, sa.true())
        .where(Delivery.state.in_((DeliveryState.FAILED, DeliveryState.UNCERTAIN)))
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
        .limit(UNDELIVERED)
    )
    return [
        {
            **row,
            "about": about(row["kind"]),
            "channel": CHANNELS[row["channel"]],
            "words": WORDS[row["state"]],
            "error": discreet(row["last_error"]),
        }
        for row in (await uow.session.execute(query)).mappings()
    ]


async def retry(uow: UnitOfWork, event_id: UUID) -> bool:
    """Have a dead event attempted again; False, and nothing happens, if it isn't dead (any more)."""
    if not await outbox.retry(uow, event_id):
        return False
    await audit.record(uow, "retry_job", "outbox", event_id)
    return True


async def retry_all(uow: UnitOfWork, type_: str) -> int:
    """As `retry` for every dead event of a type; returns how many there were."""
    count = await outbox.retry_all(uow, type_)
    if count:
        await audit.record(uow, "retry_jobs", "outbox", None, None, {"type": type_, "events": count})
    return count
