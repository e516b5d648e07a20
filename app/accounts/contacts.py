"""How people can be reached besides by their address: linked Discord accounts, and addresses that take no mail."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from app.accounts.models import Provider, User, UserIdentity
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.notifications.messages import Contact

_ON_DISCORD = UserIdentity.provider == Provider.DISCORD


async def contacts(uow: UnitOfWork, user_ids: Collection[UUID]) -> dict[UUID, Contact]:
    """How each of these users can be reached; who was erased can't. Service unit of work.

    A closed account's Discord is kept for its return only.
    """
    on_discord = (UserIdentity.user_id == User.id) & _ON_DISCORD & User.deleted_at.is_(None)
    query = (
        sa.select(User.id, UserIdentity.subject, User.mail_paused_at, User.deleted_at)
        .outerjoin(UserIdentity, on_discord)
        .where(User.id.in_(user_ids), User.forgotten_at.is_(None))
    )
    return {
        user_id: Contact(subject, mail_paused=paused_at is not None, closed=deleted_at is not None)
        for user_id, subject, paused_at, deleted_at in await uow.session.execute(query)
    }


async def note_direct_messages(uow: UnitOfWork, discord_id: str, takes_messages: bool) -> None:
    """Keep whether a linked Discord account takes direct messages, and if not since when (business time)."""
    is_known = UserIdentity.closed_at.is_not(None) if takes_messages else UserIdentity.closed_at.is_(None)
    changed = sa.update(UserIdentity).where(_ON_DISCORD, UserIdentity.subject == discord_id, is_known)
    await uow.session.execute(changed.values(closed_at=None if takes_messages else clock.now()))
