"""The inbox: what vendors tell us, kept once for each of their events if its signature held; a job acts on it later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import clock
from app.core.ids import new_id
from app.core.models import Vendor, WebhookEvent
from app.core.unit_of_work import UnitOfWork


class ForgedWebhook(Exception):
    """A delivery whose signature, time stamp or body is not the vendor's; the message says what is wrong."""


async def receive(
    uow: UnitOfWork,
    vendor: Vendor,
    event_id: str,
    *,
    type_: str,
    subject: Mapping[str, Any],
    body: bytes,
    job: str,
) -> bool:
    """Keep a verified delivery, and have `job` (a type of outbox event, given `webhook_id`) act on it.

    `subject`: the ids in the JSON `body` that the job needs. False, and nothing happens,
    if the vendor's event came before.
    """
    values = {
        "id": new_id(),
        "provider": vendor.value,
        "provider_event_id": event_id,
        "type": _storable(type_),
        "subject": _storable(dict(subject)),
        "body": _storable(json.loads(body)),
        "received_at": clock.now(),
    }
    query = insert(WebhookEvent).values(**values).on_conflict_do_nothing().returning(WebhookEvent.id)
    webhook_id = (await uow.session.execute(query)).scalar_one_or_none()
    if webhook_id is None:
        return False
    await uow.emit(job, {"webhook_id": webhook_id}, key=f"{job}:{webhook_id}")
    return True


async def waiting(uow: UnitOfWork, webhook_id: UUID) -> WebhookEvent | None:
    """A delivery that nothing was done about yet; None for one that is done, or gone."""
    query = sa.select(WebhookEvent).where(WebhookEvent.id == webhook_id, WebhookEvent.processed_at.is_(None))
    return (await uow.session.execute(query)).scalar_one_or_none()


async def close(uow: UnitOfWork, webhook_id: UUID, outcome: str) -> None:
    """The delivery was dealt with, in the transaction of what was done about it if that is ours alone."""
    done = {"processed_at": clock.now(), "outcome": outcome}
    await uow.session.execute(sa.update(WebhookEvent).where(WebhookEvent.id == webhook_id).values(**done))


def _storable(value: Any) -> Any:
    """JSON as the table can hold it: what PostgreSQL takes for no letter (NUL, half a pair) becomes U+FFFD."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode(errors="replace").replace(b"\\u0000", b"\\ufffd"))
