"""Sending what was recorded: claim, send, mark, each in a transaction of its own and the vendor in none of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Database
from app.core.outbox import Busy, Retry
from app.core.rls import ServiceDoor
from app.notifications import repository
from app.notifications.catalogue import CATALOGUE
from app.notifications.mailer import Mailer
from app.notifications.models import Delivery, DeliveryState
from app.notifications.resend import MailPostponed, MailRefused, MailUnknown
from app.notifications.rules import Step, next_step

logger = logging.getLogger(__name__)


async def deliver(database: Database, mailer: Mailer, event_id: UUID) -> None:
    """Send the event's deliveries that are not settled, each on its own. Raises Retry if one still is not."""
    async with database.service(ServiceDoor.JOB) as uow:
        open_ids = await repository.open_ids(uow, event_id)
    waiting: list[Retry] = []
    for delivery_id in open_ids:
        try:
            await _deliver(database, mailer, delivery_id)
        except Retry as retry:
            waiting.append(retry)
    if waiting:
        wait = max(retry.after_seconds for retry in waiting)
        kind = Busy if all(isinstance(retry, Busy) for retry in waiting) else Retry
        raise kind(f"{len(waiting)} of {len(open_ids)} mails: {waiting[0]}", after_seconds=wait)


async def _deliver(database: Database, mailer: Mailer, delivery_id: UUID) -> None:
    claimed = await _claim(database, mailer, delivery_id)
    if claimed is None or mailer.resend is None:
        return
    try:
        provider_id = await mailer.resend.send(claimed.body, str(delivery_id))
    except MailRefused as error:
        await _settle(database, claimed, DeliveryState.FAILED, error=str(error))
        logger.error("mail %s (%s) was refused for good; see its row", delivery_id, claimed.kind)
    except MailPostponed as error:
        await _release(database, claimed, str(error), certain=True)
        raise Retry(str(error), after_seconds=error.after_seconds) from error
    except MailUnknown as error:
        await _release(database, claimed, str(error), certain=False)
        raise Retry(str(error)) from error
    else:
        await _settle(database, claimed, DeliveryState.SENT, provider_id=provider_id)


@dataclass(frozen=True, slots=True)
class _Claim:
    id: UUID
    kind: str
    body: dict[str, Any]
    attempt: int
    is_first: bool


async def _claim(database: Database, mailer: Mailer, delivery_id: UUID) -> _Claim | None:
    """Take the delivery for one attempt, or settle what can't be attempted. Raises Retry while another has it."""
    now = datetime.now(UTC)
    async with database.service(ServiceDoor.JOB) as uow:
        delivery = await repository.locked(uow, delivery_id)
        step = next_step(delivery.state, delivery.first_attempt_at, delivery.claimed_until, now)
        if step is Step.WAIT and delivery.claimed_until:
            left = (delivery.claimed_until - now).total_seconds()
            raise Busy("another worker is sending it", after_seconds=left)
        claim = None
        if step is Step.GIVE_UP:
            _close(delivery, DeliveryState.UNCERTAIN)
            logger.error("mail %s (%s) is uncertain and is not sent again", delivery.id, delivery.kind)
        elif step is Step.SEND and delivery.rendered is None:
            _close(delivery, DeliveryState.FAILED, error="its text was deleted before it could be sent")
        elif step is Step.SEND:
            claim = _take(delivery, now, mailer.lease)
        await uow.commit()
    return claim


def _take(delivery: Delivery, now: datetime, lease: timedelta) -> _Claim:
    is_first = delivery.first_attempt_at is None
    delivery.state = DeliveryState.SENDING
    delivery.attempts += 1
    delivery.claimed_until = now + lease
    delivery.first_attempt_at = delivery.first_attempt_at or now
    return _Claim(delivery.id, delivery.kind, delivery.rendered or {}, delivery.attempts, is_first)


def _close(delivery: Delivery, state: DeliveryState, *, error: str | None = None) -> None:
    delivery.state = state
    delivery.claimed_until = None
    delivery.last_error = error or delivery.last_error
    if CATALOGUE[delivery.kind].secret:
        delivery.rendered = None


async def _settle(
    database: Database,
    claim: _Claim,
    state: DeliveryState,
    *,
    provider_id: str | None = None,
    error: str | None = None,
) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        delivery = await repository.locked(uow, claim.id)
        if delivery.state is DeliveryState.SENT:
            return
        _close(delivery, state, error=error)
        if state is DeliveryState.SENT:
            delivery.provider_id, delivery.sent_at, delivery.last_error = provider_id, clock.now(), None
        await uow.commit()


async def _release(database: Database, claim: _Claim, error: str, *, certain: bool) -> None:
    """Give the delivery back. `certain`: this attempt sent nothing; then the window has not begun with it."""
    async with database.service(ServiceDoor.JOB) as uow:
        delivery = await repository.locked(uow, claim.id)
        if delivery.state is not DeliveryState.SENDING or delivery.attempts != claim.attempt:
            return
        delivery.claimed_until, delivery.last_error = None, error
        if certain and claim.is_first:
            delivery.state, delivery.first_attempt_at = DeliveryState.PENDING, None
        await uow.commit()
