"""Which kinds of notification reach a person on which channel: all of them, but for those they turned off."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import clock
from app.core.unit_of_work import Role, UnitOfWork
from app.notifications.catalogue import CATALOGUE, TOPICS
from app.notifications.kinds import Kind
from app.notifications.models import Channel, NotificationOptOut

Pair = tuple[str, Channel]
"""A kind's name and a channel."""


class Topic(msgspec.Struct, frozen=True):
    """What belongs together in settings: kinds that may be turned off."""

    title: str
    kinds: list[Kind]


def kinds_for(role: Role) -> list[Topic]:
    """What somebody of that role may turn off, as the catalogue orders it."""
    own = [kind for kind in CATALOGUE.values() if kind.optional and role in kind.to]
    topics = {title: [kind for kind in own if kind in kinds] for title, kinds in TOPICS.items()}
    topics["More"] = [kind for kind in own if not any(kind in kinds for kinds in TOPICS.values())]
    return [Topic(title, kinds) for title, kinds in topics.items() if kinds]


async def turned_off(uow: UnitOfWork, user_id: UUID) -> set[Pair]:
    """What a person turned off; who may ask is a matter of row-level security. One query."""
    query = sa.select(NotificationOptOut.kind, NotificationOptOut.channel)
    rows = await uow.session.execute(query.where(NotificationOptOut.user_id == user_id))
    return {(kind, channel) for kind, channel in rows}


async def turn_off(uow: UnitOfWork, user_id: UUID, pairs: Iterable[Pair]) -> None:
    """These don't reach the person from now on; again changes nothing."""
    rows = [
        {"user_id": user_id, "kind": kind, "channel": channel, "since": clock.now()}
        for kind, channel in pairs
    ]
    if rows:
        await uow.session.execute(insert(NotificationOptOut).on_conflict_do_nothing(), rows)


async def turn_on(uow: UnitOfWork, user_id: UUID, pairs: Iterable[Pair]) -> None:
    """These reach the person again; again changes nothing."""
    off = NotificationOptOut
    wanted = sa.tuple_(off.kind, off.channel).in_(list(pairs))
    await uow.session.execute(sa.delete(off).where(off.user_id == user_id, wanted))


async def choose(
    uow: UnitOfWork, role: Role, channels: Collection[Channel], wanted: Collection[Pair]
) -> None:
    """Of what settings show the signed-in user on `channels`, let exactly `wanted` reach them.

    What isn't shown there stays as it is: other channels, and what can't be turned off.
    """
    shown = {
        (kind.name, channel)
        for topic in kinds_for(role)
        for kind in topic.kinds
        for channel in kind.channels
        if channel in channels
    }
    await turn_off(uow, uow.user_id, sorted(shown.difference(wanted)))
    await turn_on(uow, uow.user_id, sorted(shown.intersection(wanted)))
