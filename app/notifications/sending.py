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
from app.core.unit_of_work import UnitOfWork
from app.notifications import repository
from app.notifications.catalogue import CATALOGUE
from app.notifications.errors import Closed, Postponed, Refused, Unknown
from app.notifications.models import Channel, Delivery, DeliveryState, SkipReason
from app.notifications.outlets import Outlets
from app.notifications.rules import Step, next_step

logger = logging.getLogger(__name__)


async def deliver(database: Database, outlets: Outlets, event_id: UUID) -> None:
    """Send the event's deliveries that are not settled, each on its own. Raises Retry if one still is not.

    Where somebody's direct messages are closed, the mail that they had turned off for this kind is sent instead.
    """
    async with database.service(ServiceDoor.JOB) as uow:
        to_do = await repository.open_ids(uow, event_id)
    waiting: list[Retry] = []
    for delivery_id in to_do:
        try:
            woken = await _deliver(database, outlets, delivery_id)
        except Retry as retry:
            waiting.append(retry)
        else:
            to_do += [woken] if woken else []
    if waiting:
        wait = max(retry.after_seconds for retry in waiting)
        kind = Busy if all(isinstance(retry, Busy) for retry in waiting) else Retry
        raise kind(f"{len(waiting)} of {len(to_do)} messages: {waiting[0]}", after_seconds=wait)


async def _deliver(database: Database, outlets: Outlets, delivery_id: UUID) -> UUID | None:
    """One attempt; the id of another delivery that it has made necessary."""
    claimed = await _claim(database, outlets, delivery_id)
    if claimed is None:
        return None
    try:
        provider_id = await outlets.of(claimed.channel).send(claimed.body, delivery_id)
    except Closed as error:
        return await _settle_closed(database, outlets, claimed, str(error))
    except Refused as error:
        await _settle(database, outlets, claimed, claimed.if_refused, error=str(error))
        logger.error("%s was refused for good; see its row", claimed)
    except Postponed as error:
        await _release(database, claimed, str(error), certain=True)
        raise Retry(str(error), after_seconds=error.after_seconds) from error
    except Unknown as error:
        await _release(database, claimed, str(error), certain=False)
        raise Retry(str(error)) from error
    else:
        await _settle(database, outlets, claimed, DeliveryState.SENT, provider_id=provider_id)
    return None


@dataclass(frozen=True, slots=True)
class _Claim:
    id: UUID
    event_id: UUID
    recipient_id: UUID
    channel: Channel
    kind: str
    body: dict[str, Any]
    attempt: int
    is_first: bool

    @property
    def if_refused(self) -> DeliveryState:
        """What a definite no makes of it: one before this attempt, without an answer, may have arrived all the same."""
        return DeliveryState.FAILED if self.is_first else DeliveryState.UNCERTAIN

    def holds(self, delivery: Delivery) -> bool:
        """True unless this attempt took too long, and another has begun or settled it."""
        return delivery.state is DeliveryState.SENDING and delivery.attempts == self.attempt

    def __str__(self) -> str:
        return _name(self)


def _name(delivery: Delivery | _Claim) -> str:
    return f"{delivery.channel.value} {delivery.id} ({delivery.kind})"


async def _claim(database: Database, outlets: Outlets, delivery_id: UUID) -> _Claim | None:
    """Take the delivery for one attempt, or settle what can't be attempted. Raises Retry while another has it."""
    now = datetime.now(UTC)
    async with database.service(ServiceDoor.JOB) as uow:
        delivery = await repository.locked(uow, delivery_id)
        outlet = outlets.of(delivery.channel)
        step = next_step(
            delivery.state, delivery.first_attempt_at, delivery.claimed_until, now, outlet.window
        )
        if step is Step.WAIT and delivery.claimed_until:
            left = (delivery.claimed_until - now).total_seconds()
            raise Busy("another worker is sending it", after_seconds=left)
        claim = None
        if step is Step.GIVE_UP:
            _close(delivery, DeliveryState.UNCERTAIN)
            logger.error("%s is uncertain and is not sent again", _name(delivery))
        elif step is Step.SEND and delivery.rendered is None:
            _close(delivery, DeliveryState.FAILED, error="its text was deleted before it could be sent")
        elif step is Step.SEND and not outlet.is_on and delivery.state is DeliveryState.PENDING:
            _close(delivery, DeliveryState.SKIPPED)
            delivery.reason = SkipReason.NOT_CONFIGURED
        elif step is Step.SEND:
            claim = _take(delivery, now, outlet.lease)
        await uow.commit()
    return claim


def _take(delivery: Delivery, now: datetime, lease: timedelta) -> _Claim:
    is_first = delivery.first_attempt_at is None
    delivery.state = DeliveryState.SENDING
    delivery.attempts += 1
    delivery.claimed_until = now + lease
    delivery.first_attempt_at = delivery.first_attempt_at or now
    return _Claim(
        delivery.id,
        delivery.event_id,
        delivery.recipient_id,
        delivery.channel,
        delivery.kind,
        delivery.rendered or {},
        delivery.attempts,
        is_first,
    )


def _close(delivery: Delivery, state: DeliveryState, *, error: str | None = None) -> None:
    delivery.state = state
    delivery.claimed_until = None
    delivery.last_error = error or delivery.last_error
    if CATALOGUE[delivery.kind].secret:
        delivery.rendered = None


async def _settle(
    database: Database,
    outlets: Outlets,
    claim: _Claim,
    state: DeliveryState,
    *,
    provider_id: str | None = None,
    error: str | None = None,
) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        delivery = await repository.locked(uow, claim.id)
        # That it was sent is so whoever has it meanwhile; a no is the word of whoever has it.
        if delivery.state is DeliveryState.SENT or (provider_id is None and not claim.holds(delivery)):
            return
        _close(delivery, state, error=error)
        if state is DeliveryState.SENT:
            delivery.provider_id, delivery.sent_at, delivery.last_error = provider_id, clock.now(), None
            await _heard(uow, outlets, claim, takes_messages=True)
        await uow.commit()


async def _settle_closed(database: Database, outlets: Outlets, claim: _Claim, error: str) -> UUID | None:
    """Note that direct messages are closed, and wake the mail that was turned off, all at once: its id."""
    async with database.service(ServiceDoor.JOB) as uow:
        delivery = await repository.locked(uow, claim.id)
        if not claim.holds(delivery):
            return None
        _close(delivery, DeliveryState.SKIPPED if claim.is_first else DeliveryState.UNCERTAIN, error=error)
        delivery.reason = SkipReason.CLOSED
        await _heard(uow, outlets, claim, takes_messages=False)
        woken = await repository.wake_mail(uow, claim.event_id, claim.recipient_id)
        await uow.commit()
    return woken


async def _heard(uow: UnitOfWork, outlets: Outlets, claim: _Claim, *, takes_messages: bool) -> None:
    if claim.channel is Channel.DISCORD:
        await outlets.messenger.heard(uow, claim.body["recipient_id"], takes_messages)


async def _release(database: Database, claim: _Claim, error: str, *, certain: bool) -> None:
    """Give the delivery back. `certain`: this attempt sent nothing; then the window has not begun with it."""
    async with database.service(ServiceDoor.JOB) as uow:
        delivery = await repository.locked(uow, claim.id)
        if not claim.holds(delivery):
            return
        delivery.claimed_until, delivery.last_error = None, error
        if certain and claim.is_first:
            delivery.state, delivery.first_attempt_at = DeliveryState.PENDING, None
        await uow.commit()
