"""SQL of the deliveries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core.unit_of_work import UnitOfWork
from app.notifications.models import Channel, Delivery, DeliveryState, NotificationOptOut, SkipReason

_LOCK_EVENT = sa.text("select pg_advisory_xact_lock(hashtextextended(cast(:event_id as text), 0))")
_OPEN = (DeliveryState.PENDING, DeliveryState.SENDING)


async def lock_event(uow: UnitOfWork, event_id: UUID) -> None:
    """Be alone with the event's deliveries until the transaction ends."""
    await uow.session.execute(_LOCK_EVENT, {"event_id": str(event_id)})


async def any_for(uow: UnitOfWork, event_id: UUID) -> bool:
    """True if the event has deliveries: they are recorded all at once."""
    return bool(await uow.session.scalar(sa.select(sa.exists().where(Delivery.event_id == event_id))))


async def add(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    """Insert deliveries; one that is there already for its event, channel and recipient stays as it is."""
    await uow.session.execute(insert(Delivery).values(list(rows)).on_conflict_do_nothing())


async def open_ids(uow: UnitOfWork, event_id: UUID) -> list[UUID]:
    """The event's deliveries that are not settled, oldest first."""
    query = sa.select(Delivery.id).where(Delivery.event_id == event_id, Delivery.state.in_(_OPEN))
    return list(await uow.session.scalars(query.order_by(Delivery.id)))


async def locked(uow: UnitOfWork, delivery_id: UUID) -> Delivery:
    """The delivery, its row locked until the transaction ends."""
    return await uow.session.get_one(Delivery, delivery_id, with_for_update=True, populate_existing=True)


async def turned_off(uow: UnitOfWork, kind: str, user_ids: Collection[UUID]) -> set[tuple[UUID, Channel]]:
    """Who of these doesn't want a kind, and where."""
    query = sa.select(NotificationOptOut.user_id, NotificationOptOut.channel).where(
        NotificationOptOut.kind == kind, NotificationOptOut.user_id.in_(user_ids)
    )
    return {(user_id, channel) for user_id, channel in await uow.session.execute(query)}


async def wake_mail(uow: UnitOfWork, event_id: UUID, recipient_id: UUID) -> UUID | None:
    """Let the mail that its recipient had turned off be sent after all; its id, None if none was turned off."""
    wake = (
        sa.update(Delivery)
        .where(
            Delivery.event_id == event_id,
            Delivery.recipient_id == recipient_id,
            Delivery.channel == Channel.EMAIL,
            Delivery.state == DeliveryState.SKIPPED,
            Delivery.reason == SkipReason.TURNED_OFF,
            Delivery.rendered.is_not(None),
        )
        .values(state=DeliveryState.PENDING, reason=None)
    )
    return await uow.session.scalar(wake.returning(Delivery.id))


async def withdraw(
    uow: UnitOfWork, event_id: UUID, recipient_id: UUID, reason: SkipReason, now: datetime
) -> None:
    """Settle the recipient's deliveries that nobody is sending at `now` (machine time): skipped, or uncertain if tried."""
    theirs = Delivery.event_id == event_id, Delivery.recipient_id == recipient_id
    await _take_back(uow, theirs, reason, now)


async def withdraw_direct(uow: UnitOfWork, recipient_id: UUID, discord_id: str, now: datetime) -> None:
    """As `withdraw`, of what is written to a Discord account that isn't the recipient's any more."""
    theirs = (
        Delivery.recipient_id == recipient_id,
        Delivery.channel == Channel.DISCORD,
        Delivery.rendered["recipient_id"].as_string() == discord_id,
    )
    await _take_back(uow, theirs, SkipReason.CLOSED, now)


async def _take_back(
    uow: UnitOfWork, theirs: Sequence[sa.ColumnElement[bool]], reason: SkipReason, now: datetime
) -> None:
    is_free = sa.or_(Delivery.claimed_until.is_(None), Delivery.claimed_until <= now)
    skip = sa.update(Delivery).where(*theirs, Delivery.state == DeliveryState.PENDING)
    give_up = sa.update(Delivery).where(*theirs, Delivery.state == DeliveryState.SENDING, is_free)
    await uow.session.execute(skip.values(state=DeliveryState.SKIPPED, reason=reason))
    await uow.session.execute(
        give_up.values(state=DeliveryState.UNCERTAIN, reason=reason, claimed_until=None)
    )


async def forget_rendered(uow: UnitOfWork, before: datetime) -> int:
    """Wipe the text of deliveries created before `before` (business time); returns how many."""
    wipe = sa.update(Delivery).where(Delivery.created_at < before, Delivery.rendered.is_not(None))
    done = await uow.session.execute(wipe.values(rendered=None).returning(Delivery.id))
    return len(done.all())
