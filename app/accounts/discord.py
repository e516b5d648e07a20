"""Discord accounts of users: one a user, one user a Discord account; and who speaks when a Discord account does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.accounts import repository
from app.accounts.models import Provider, UserIdentity
from app.accounts.themselves import require_themselves
from app.core import audit, clock
from app.core.errors import NotFound, Refused, Unauthenticated
from app.core.unit_of_work import Principal, UnitOfWork
from app.settings import Settings

ROLE = "discord/role"
"""`{"user_id"}`, or `{"user_id", "discord_user_id"}` where the account isn't linked (to them) any more."""


@dataclass(frozen=True, slots=True)
class DiscordAccount:
    """An account as Discord describes it: `id` (a snowflake) never changes, `name` may."""

    id: str
    name: str


@dataclass(frozen=True)
class Card:
    """The signed-in user's Discord account, for the settings. `linked_at` None: none is linked.

    `closed_at`: since when it takes no direct messages from us. `invite_url`: where people join the server, or "".
    """

    name: str = ""
    linked_at: datetime | None = None
    closed_at: datetime | None = None
    invite_url: str = ""


async def card(uow: UnitOfWork, settings: Settings) -> Card | None:
    """What the settings say about Discord; None where it isn't configured."""
    if not settings.discord_linking:
        return None
    linked = await repository.identity_of(uow.session, uow.user_id, Provider.DISCORD)
    if linked is None:
        return Card(invite_url=settings.discord_invite_url)
    return Card(name_of(linked), linked.created_at, linked.closed_at, settings.discord_invite_url)


def name_of(linked: UserIdentity) -> str:
    """What people know a linked account by."""
    return linked.name or "a Discord account"


async def link(uow: UnitOfWork, principal: Principal, account: DiscordAccount) -> None:
    """From now on the Discord account is the principal's, who has proved it. Again: only its name is brought up to date.

    Service unit of work. One that belongs to a closed account is taken from it: whoever proves it may go on with it.
    Raises Forbidden("impersonated"), Unauthenticated for an account that is gone, Refused: `discord_taken`,
    `discord_other_account`.
    """
    require_themselves(principal)
    user = (
        await repository.user_by_id(uow.session, principal.user_id, lock=True) if principal.user_id else None
    )
    if user is None or user.deleted_at is not None:
        raise Unauthenticated
    await _take_from_closed(uow, account.id, principal)
    row = {
        "user_id": user.id,
        "provider": Provider.DISCORD,
        "subject": account.id,
        "name": account.name,
        "created_at": clock.now(),
    }
    if await repository.add_identity(uow.session, row):
        given = {"provider": Provider.DISCORD}
        await audit.record(uow, "link_discord", "users", user.id, after=given, actor=principal)
        await uow.emit(ROLE, {"user_id": user.id})
        return
    known = await repository.identity_of(uow.session, user.id, Provider.DISCORD)
    if known is None or known.subject != account.id:
        raise _refusal(known)
    await repository.change_identity(uow.session, known.id, {"name": account.name})


async def unlink(uow: UnitOfWork) -> None:
    """The signed-in user's Discord account is theirs no more here; the role on the server goes, too.

    Raises Forbidden("impersonated"), NotFound if none is linked.
    """
    require_themselves(uow.principal)
    if not await let_go(uow, uow.user_id):
        raise NotFound("Discord is not linked.")
    before = {"provider": Provider.DISCORD}
    await audit.record(uow, "unlink_discord", "users", uow.user_id, before=before)


async def shut_out(uow: UnitOfWork, actor: Principal, user_id: UUID) -> None:
    """Whoever speaks from Discord as the user does so no more. Service unit of work."""
    if await let_go(uow, user_id):
        before = {"provider": Provider.DISCORD}
        await audit.record(uow, "unlink_discord", "users", user_id, before=before, actor=actor)


async def let_go(uow: UnitOfWork, user_id: UUID) -> bool:
    """Forget a user's Discord account, and have the role on the server taken; False if none is linked."""
    subject = await repository.take_identity(uow.session, user_id, Provider.DISCORD)
    if subject is None:
        return False
    await uow.emit(ROLE, {"user_id": user_id, "discord_user_id": subject})
    return True


async def sync_role(uow: UnitOfWork, user_id: UUID) -> None:
    """Have the role on the server looked at: the user's account was closed, or opened again."""
    await uow.emit(ROLE, {"user_id": user_id})


async def member_joined(uow: UnitOfWork, discord_user_id: str) -> bool:
    """Somebody joined the server: have their role looked at. False if nobody's account is linked to them.

    Service unit of work.
    """
    user_id = await repository.identity_owner(uow.session, Provider.DISCORD, discord_user_id)
    if user_id is not None:
        await uow.emit(ROLE, {"user_id": user_id})
    return user_id is not None


async def owner_of(uow: UnitOfWork, discord_user_id: str) -> Principal | None:
    """Who a Discord account speaks for, with the role they have here; None for nobody's, and for a closed account.

    Service unit of work.
    """
    user_id = await repository.identity_owner(uow.session, Provider.DISCORD, discord_user_id)
    user = await repository.user_by_id(uow.session, user_id) if user_id else None
    return Principal(user.id, user.role) if user is not None and user.deleted_at is None else None


async def account_of(uow: UnitOfWork, user_id: UUID) -> str | None:
    """The id of the Discord account that is linked to a user. Service unit of work, or their own."""
    linked = await repository.identity_of(uow.session, user_id, Provider.DISCORD)
    return linked.subject if linked else None


async def _take_from_closed(uow: UnitOfWork, subject: str, actor: Principal) -> None:
    owner_id = await repository.identity_owner(uow.session, Provider.DISCORD, subject)
    if owner_id is None or owner_id == actor.user_id:
        return
    owner = await repository.user_by_id(uow.session, owner_id)
    if owner is None or owner.deleted_at is None:
        return
    if await repository.take_identity(uow.session, owner.id, Provider.DISCORD) is not None:
        before = {"provider": Provider.DISCORD}
        await audit.record(uow, "unlink_discord", "users", owner.id, before=before, actor=actor)


def _refusal(known: UserIdentity | None) -> Refused:
    if known is not None:
        return Refused(
            "discord_other_account",
            f"You have linked {name_of(known)} already. Unlink that one first. Nothing was changed.",
        )
    return Refused(
        "discord_taken",
        "That Discord account is linked to somebody else here. Unlink it there first, or choose another one at Discord."
        " Nothing was changed.",
    )
