"""The application, accounts and the server's members over REST."""

from __future__ import annotations

from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.chaos import Chaos
from sandbox.discord import membership
from sandbox.discord.errors import DiscordError, unknown
from sandbox.discord.gateway import Gateway
from sandbox.discord.http import as_bot
from sandbox.discord.service import Discord
from sandbox.discord.shown import STAFF_ROLE, application, bot_member, bot_user, guild, roles
from sandbox.discord.things import Member, member_shown, user_shown
from sandbox.http import HttpRequest, HttpResponse

MEMBER = "/guilds/{guild_id:str}/members/{user_id:str}"


@get(["/applications/@me", "/oauth2/applications/@me"])
async def show_application(
    request: HttpRequest, discord: NamedDependency[Discord], chaos: NamedDependency[Chaos]
) -> HttpResponse:
    """The application that the bot belongs to."""
    return as_bot(request, discord, chaos, "users").answer(application(discord))


@get("/users/{user_id:str}")
async def show_user(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    chaos: NamedDependency[Chaos],
    user_id: FromPath[str],
) -> HttpResponse:
    """Anybody's account."""
    leave = as_bot(request, discord, chaos, "users")
    if user_id == discord.bot_id:
        return leave.answer(bot_user(discord))
    return leave.answer(user_shown(discord.member(user_id)))


@get("/guilds/{guild_id:str}")
async def show_guild(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    chaos: NamedDependency[Chaos],
    guild_id: FromPath[str],
) -> HttpResponse:
    """The server."""
    leave = as_bot(request, discord, chaos, "guilds", guild_id)
    _check_guild(discord, guild_id)
    return leave.answer(guild(discord))


@get("/guilds/{guild_id:str}/roles")
async def show_roles(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    chaos: NamedDependency[Chaos],
    guild_id: FromPath[str],
) -> HttpResponse:
    """The server's roles."""
    leave = as_bot(request, discord, chaos, "guilds", guild_id)
    _check_guild(discord, guild_id)
    return leave.answer(roles(discord))


@get(MEMBER)
async def show_member(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    chaos: NamedDependency[Chaos],
    guild_id: FromPath[str],
    user_id: FromPath[str],
) -> HttpResponse:
    """A member of the server."""
    leave = as_bot(request, discord, chaos, "guilds", guild_id)
    _check_guild(discord, guild_id)
    if user_id == discord.bot_id:
        return leave.answer(bot_member(discord))
    return leave.answer(member_shown(discord.member_here(user_id)))


@put(MEMBER + "/roles/{role_id:str}", status_code=200)
async def give_role(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    gateway: NamedDependency[Gateway],
    chaos: NamedDependency[Chaos],
    guild_id: FromPath[str],
    user_id: FromPath[str],
    role_id: FromPath[str],
) -> HttpResponse:
    """Give a member a role; one that is had already changes nothing."""
    leave = as_bot(request, discord, chaos, "roles", guild_id)
    member = _member_for_role(discord, guild_id, user_id, role_id)
    if role_id not in member.roles:
        membership.put(discord, gateway, member, roles=[*member.roles, role_id])
    return leave.answer(None, 204)


@delete(MEMBER + "/roles/{role_id:str}", status_code=200)
async def take_role(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    gateway: NamedDependency[Gateway],
    chaos: NamedDependency[Chaos],
    guild_id: FromPath[str],
    user_id: FromPath[str],
    role_id: FromPath[str],
) -> HttpResponse:
    """Take a role from a member; one that isn't had changes nothing."""
    leave = as_bot(request, discord, chaos, "roles", guild_id)
    member = _member_for_role(discord, guild_id, user_id, role_id)
    membership.put(discord, gateway, member, roles=[role for role in member.roles if role != role_id])
    return leave.answer(None, 204)


def _check_guild(discord: Discord, guild_id: str) -> None:
    if guild_id != discord.guild_id:
        raise unknown("guild")


def _member_for_role(discord: Discord, guild_id: str, user_id: str, role_id: str) -> Member:
    """Whom a role is given to or taken from. Raises DiscordError 404, 403 for a role that isn't below the bot's."""
    _check_guild(discord, guild_id)
    if role_id not in {role["id"] for role in roles(discord)}:
        raise unknown("role")
    member = discord.member_here(user_id)
    if role_id == STAFF_ROLE:
        raise DiscordError(403, 50013, "Missing Permissions")
    if role_id != discord.settings.discord_mentee_role_id:  # everybody's, or an application's own
        raise DiscordError(400, 50028, "Invalid Role")
    return member


HANDLERS = [show_application, show_user, show_guild, show_roles, show_member, give_role, take_role]
