"""The mentees' role on the Discord server: who has a seat has it. Done by state, so that it may be done twice."""

from __future__ import annotations

import sqlalchemy as sa

from app.accounts.models import Provider, User, UserIdentity
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications.discord import Discord
from app.packs.models import SeatReservation, SeatStatus


async def sync(database: Database, discord: Discord, discord_user_id: str) -> None:
    """Give or take the role of a Discord account, and look again: it is right whoever else was at it meanwhile.

    No transaction is open while Discord is asked. Raises what `Discord.give_role` and `take_role` raise.
    """
    done = None
    while (wanted := await _wanted(database, discord_user_id)) is not done:
        await (discord.give_role if wanted else discord.take_role)(discord_user_id)
        done = wanted


async def is_mentee(uow: UnitOfWork, discord_user_id: str) -> bool:
    """True if the Discord account is linked to a live account with an active seat, or one in grace."""
    seat = (
        sa.select(SeatReservation.id)
        .join(User, User.id == SeatReservation.student_id)
        .join(UserIdentity, UserIdentity.user_id == User.id)
        .where(
            UserIdentity.provider == Provider.DISCORD,
            UserIdentity.subject == discord_user_id,
            User.deleted_at.is_(None),
            SeatReservation.status.in_((SeatStatus.ACTIVE, SeatStatus.GRACE)),
        )
    )
    return (await uow.session.execute(sa.select(seat.exists()))).scalar_one()


async def _wanted(database: Database, discord_user_id: str) -> bool:
    async with database.service(ServiceDoor.JOB) as uow:
        return await is_mentee(uow, discord_user_id)
