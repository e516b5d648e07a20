"""Who asks: the platform's account behind a Discord account, and a unit of work bound to it.

Discord's own permissions count for nothing. Role and ownership are the platform's, asked for anew at every click.
"""

from __future__ import annotations

from app.accounts import repository as users
from app.accounts.discord import owner_of
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.core.web import Viewer
from app.wiring import Platform


async def principal_of(platform: Platform, discord_user_id: str) -> Principal | None:
    """The account that is linked to a Discord account; None for nobody, and for who was deleted."""
    async with platform.database.service(ServiceDoor.BOT) as uow:
        return await owner_of(uow, discord_user_id)


async def viewer_of(uow: UnitOfWork) -> Viewer | None:
    """The account that `uow` is bound to, as it is now; None if it is gone."""
    user = await users.user_by_id(uow.session, uow.user_id)
    if user is None or user.deleted_at is not None:
        return None
    return Viewer(
        id=user.id,
        name=user.name,
        email=user.email,
        verified=user.email_verified_at is not None,
        role=Role(user.role),
        time_zone=user.time_zone,
    )
