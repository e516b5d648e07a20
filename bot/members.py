"""People who come to the server: whoever is somebody's mentee gets the role at once."""

from __future__ import annotations

from app.accounts import discord
from app.core.rls import ServiceDoor
from app.wiring import Platform


async def joined(platform: Platform, discord_user_id: str) -> None:
    """Have the role of somebody who just joined brought in line, if their account is linked."""
    async with platform.database.service(ServiceDoor.BOT) as uow:
        if await discord.member_joined(uow, discord_user_id):
            await uow.commit()
