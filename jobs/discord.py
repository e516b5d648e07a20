"""The Discord server: who is a mentee there."""

from __future__ import annotations

from uuid import UUID

from app.accounts import discord
from app.core.outbox import Event, GiveUp, Retry
from app.core.rls import ServiceDoor
from app.notifications import service as notifications
from app.notifications.errors import DeliveryError, Postponed, Refused
from app.packs import discord_role
from app.wiring import Platform


async def sync_role(platform: Platform, event: Event) -> None:
    """`{"user_id"}`, or `{"user_id", "discord_user_id"}` for an account that isn't theirs any more: the role as it should be."""
    if platform.discord is None:
        return
    user_id, account = UUID(event.payload["user_id"]), event.payload.get("discord_user_id")
    async with platform.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        linked = await discord.account_of(uow, user_id)
        if account is not None and account != linked:
            await notifications.unlinked(uow, user_id, account)
    account = account or linked
    if account is None:
        return
    try:
        await discord_role.sync(platform.database, platform.discord, account)
    except Postponed as error:
        raise Retry(str(error), after_seconds=error.after_seconds) from error
    except Refused as error:
        raise GiveUp(str(error)) from error
    except DeliveryError as error:
        raise Retry(str(error)) from error


EVENTS = {discord.ROLE: sync_role}
