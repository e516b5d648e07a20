"""Discord's pages for people: the server, and what each member reads, types and clicks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.clock import BusinessClock
from sandbox.discord import membership
from sandbox.discord.acting import Acting, ActingError
from sandbox.discord.errors import DiscordError
from sandbox.discord.gateway import Gateway
from sandbox.discord.reading import Reader
from sandbox.discord.seeds import GUILD_NAME, LOUNGE
from sandbox.discord.service import Discord
from sandbox.discord.things import Channel, Member, fresh_member
from sandbox.http import HttpRequest, HttpResponse, form_pairs, see_other
from sandbox.pages import Pages

OPTION = "option-"
MEMBER = "/members/{member_id:str}"


@get("/")
async def show_server(
    discord: NamedDependency[Discord], gateway: NamedDependency[Gateway], pages: NamedDependency[Pages]
) -> HttpResponse:
    """The server: its members, how many messages each got, and whether a bot is connected."""
    return _server(discord, gateway, pages)


@post("/")
async def add_member(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    gateway: NamedDependency[Gateway],
    pages: NamedDependency[Pages],
) -> HttpResponse:
    """Let somebody join the server."""
    name = dict(await form_pairs(request)).get("name", "").strip()
    if not 1 <= len(name) <= 32:
        return _server(discord, gateway, pages, "A name has 1 to 32 characters.", 422)
    member = membership.put(discord, gateway, fresh_member(discord.numbers, name=name))
    return see_other(f"/discord/members/{member.id}")


def _server(
    discord: Discord, gateway: Gateway, pages: Pages, problem: str = "", status: int = 200
) -> HttpResponse:
    channels = {channel.recipient: channel.id for channel in discord.channels.values()}
    counts: dict[str, int] = {}
    for message in discord.messages.values():
        counts[message.channel] = counts.get(message.channel, 0) + 1
    return pages.show(
        "discord/server.html",
        status,
        name=GUILD_NAME,
        mentee=discord.settings.discord_mentee_role_id,
        members=[(m, counts.get(channels.get(m.id, ""), 0)) for m in discord.members.values()],
        connected=any(item["connected"] for item in gateway.connections()),
        problem=problem,
    )


@get(MEMBER)
async def show_member(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    clock: NamedDependency[BusinessClock],
    pages: NamedDependency[Pages],
    member_id: FromPath[str],
) -> HttpResponse:
    """What a member reads and may type, with the bot itself, or with `?in=lounge` in the server's channel."""
    private = request.query_params.get("in") != LOUNGE.name
    return _member(discord, clock, pages, member_id, private=private)


def _member(
    discord: Discord,
    clock: BusinessClock,
    pages: Pages,
    member_id: str,
    *,
    private: bool,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    member = discord.members.get(member_id)
    if member is None:
        return pages.show("discord/missing.html", 404)
    reader = Reader(discord, member, clock.now())
    channel = _channel(discord, member, private=private)
    return pages.show(
        "discord/member.html",
        status,
        member=member,
        roles=reader.roles(),
        private=private,
        lounge=LOUNGE.name,
        messages=reader.messages(channel),
        commands=reader.commands(channel) if private or member.here else [],
        people=[person for person in discord.members.values() if person.here],
        option=OPTION,
        problem=problem,
    )


def _channel(discord: Discord, member: Member, *, private: bool) -> Channel:
    return discord.private_channel(member.id) if private else discord.channel(LOUNGE.id)


@post(MEMBER)
async def act(
    request: HttpRequest,
    acting: NamedDependency[Acting],
    clock: NamedDependency[BusinessClock],
    pages: NamedDependency[Pages],
    member_id: FromPath[str],
) -> HttpResponse:
    """Type a command, click or choose, or change the member, as the form's `do` says; then show the page again."""
    pairs = await form_pairs(request)
    values = dict(pairs)
    private = values.get("in") != LOUNGE.name
    try:
        newest = await _carry_out(
            acting, member_id, values, [v for k, v in pairs if k == "value" and v], private
        )
    except (ActingError, DiscordError) as error:
        found: dict[str, Any] = {"private": private, "problem": error.message, "status": error.status}
        return _member(acting.discord, clock, pages, member_id, **found)
    place = "" if private else f"?in={quote(LOUNGE.name)}"
    return see_other(f"/discord/members/{quote(member_id)}{place}{'#m' + newest if newest else ''}")


async def _carry_out(
    acting: Acting, member_id: str, values: dict[str, str], chosen: list[str], private: bool
) -> str:
    """Do what the form says; gives the id of the message to look at afterwards."""
    member = acting.discord.member(member_id)
    if values.get("do") == "type":
        options = {k.removeprefix(OPTION): v for k, v in values.items() if k.startswith(OPTION)}
        done = await acting.type(member_id, values.get("command", ""), dict(options), private=private)
    elif values.get("do") == "click":
        where = (values.get("message", ""), values.get("component", ""))
        done = await acting.click(member_id, *where, chosen)
    else:
        changes = {"open": values.get("open") == "yes", "here": values.get("here") == "yes"}
        membership.put(acting.discord, acting.gateway, member, **changes)
        return ""
    messages = acting.messages_of(done)
    return messages[-1].id if messages else ""


HANDLERS = [show_server, add_member, show_member, act]
