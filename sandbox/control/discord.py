"""Control calls that act at Discord: as a member of the server, or as Discord itself."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import get, post
from litestar.di import NamedDependency

from sandbox.control.errors import ControlError, body_of
from sandbox.discord import membership
from sandbox.discord.acting import Acting, ActingError
from sandbox.discord.gateway import Gateway
from sandbox.discord.grants import ConsentError, Grants
from sandbox.discord.service import Discord
from sandbox.discord.shown import command_shown
from sandbox.discord.things import EPHEMERAL, LOADING, Message, fresh_member
from sandbox.http import HttpRequest, HttpResponse, json_answer


class MemberWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member to make (without `user_id`) or change; what is not given stays, or for a new one is made up.

    `open`: the bot may write to them directly; `here`: they are on the server (who leaves loses their roles).
    """

    user_id: str = ""
    username: str | None = None
    name: str | None = None
    email: str | None = None
    open: bool | None = None
    here: bool | None = None


def as_json(discord: Discord, message: Message) -> dict[str, Any]:
    """A message for programs: who it is for, what it says, what can be clicked."""
    channel = discord.channels.get(message.channel)
    asked = message.asked
    return {
        "id": message.id,
        "channel": message.channel,
        "recipient": channel.recipient if channel else "",
        "content": message.content,
        "nonce": message.nonce,
        "components": message.components,
        "embeds": message.embeds,
        "ephemeral": bool(message.flags & EPHEMERAL),
        "loading": bool(message.flags & LOADING),
        "viewer": message.viewer,
        "at": message.at,
        "edited_at": message.edited_at,
        "mentions": {"users": message.mentions, "roles": message.roles, "everyone": message.everyone},
        "answers": {"member": asked.member, "command": asked.name} if asked else None,
    }


class Deed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member does: types a `command` with `options` (`private`: to the bot itself), or clicks `custom_id`
    (with `values` chosen in a menu) on the message `message_id`."""

    user_id: str
    command: str = ""
    options: dict[str, Any] = {}
    private: bool = False
    message_id: str = ""
    custom_id: str = ""
    values: list[str] = []


class ConsentWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member's decision about an authorize address."""

    url: str
    user_id: str
    allow: bool = True


class Drop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the bots' connections end: `resumable` or with their sessions, closed or with a request to `reconnect`."""

    resumable: bool = True
    reconnect: bool = False


@get("/discord/messages")
async def show_messages(request: HttpRequest, discord: NamedDependency[Discord]) -> HttpResponse:
    """`?recipient=&channel=`: every message of the bot, oldest first, answers that one member sees included."""
    recipient = request.query_params.get("recipient") or ""
    channel = request.query_params.get("channel") or ""
    items = [as_json(discord, message) for message in discord.messages.values()]
    return json_answer(
        {
            "items": [
                item
                for item in items
                if recipient in ("", item["recipient"]) and channel in ("", item["channel"])
            ]
        }
    )


@get("/discord/members")
async def show_members(discord: NamedDependency[Discord]) -> HttpResponse:
    """Everybody with an account: {"items": [{id, username, name, email, roles, open, here, joined_at}]}."""
    return json_answer({"items": [msgspec.to_builtins(member) for member in discord.members.values()]})


@post("/discord/members", status_code=200)
async def put_member(
    request: HttpRequest, discord: NamedDependency[Discord], gateway: NamedDependency[Gateway]
) -> HttpResponse:
    """Make a member, or change one: open or close their direct messages, let them leave or come back."""
    wish = await body_of(request, MemberWish)
    if wish.user_id and not re.fullmatch(r"\d{15,20}", wish.user_id):
        raise ControlError(400, f"user_id={wish.user_id!r} is no id of Discord's")
    given = {name: value for name, value in msgspec.structs.asdict(wish).items() if value is not None}
    given.pop("user_id")
    member = discord.members.get(wish.user_id) or fresh_member(
        discord.numbers, wish.user_id, wish.username or "", wish.name or "", wish.email or ""
    )
    return json_answer(membership.put(discord, gateway, member, **given))


@post("/discord/interactions", status_code=200)
async def act(request: HttpRequest, acting: NamedDependency[Acting]) -> HttpResponse:
    """Act as a member and wait for the bot: {"interaction", "pending", "messages": what it answered or changed}.

    404 for who or what isn't there, 400 for what Discord wouldn't send, 409 without a bot at the gateway, 504 if it
    doesn't answer in time; `pending`: a promised answer that hasn't come yet.
    """
    deed = await body_of(request, Deed)
    if bool(deed.command.strip("/ ")) == bool(deed.message_id and deed.custom_id):
        raise ControlError(400, "give one of `command`, and `message_id` with `custom_id`")
    try:
        if deed.command:
            done = await acting.type(deed.user_id, deed.command, deed.options, private=deed.private)
        else:
            done = await acting.click(deed.user_id, deed.message_id, deed.custom_id, deed.values)
    except ActingError as error:
        raise ControlError(error.status, error.message) from error
    messages = [as_json(acting.discord, message) for message in acting.messages_of(done)]
    pending = not messages or any(message["loading"] for message in messages)
    return json_answer({"interaction": done.id, "pending": pending, "messages": messages})


@post("/discord/consent", status_code=200)
async def decide(
    request: HttpRequest, discord: NamedDependency[Discord], grants: NamedDependency[Grants]
) -> HttpResponse:
    """Decide on an authorize address as a member would; {"location": where the browser would be sent}."""
    wish = await body_of(request, ConsentWish)
    if wish.user_id not in discord.members:
        raise ControlError(404, f"there is nobody with the id {wish.user_id!r}")
    try:
        asked = grants.ask(dict(parse_qsl(urlsplit(wish.url).query)))
    except ConsentError as error:
        raise ControlError(400, f"{error.error}: {error.message}") from error
    return json_answer({"location": grants.allow(asked, wish.user_id) if wish.allow else grants.deny(asked)})


@get("/discord/gateway")
async def show_gateway(gateway: NamedDependency[Gateway]) -> HttpResponse:
    """The bots' sessions that are connected or may be resumed: {"items": [{session, connected, seq}]}."""
    return json_answer({"items": gateway.connections()})


@post("/discord/gateway/drop", status_code=200)
async def drop(request: HttpRequest, gateway: NamedDependency[Gateway]) -> HttpResponse:
    """Let the bots' connections end; {"dropped": n}."""
    wish = await body_of(request, Drop)
    return json_answer({"dropped": gateway.drop(resumable=wish.resumable, reconnect=wish.reconnect)})


@get("/discord/commands")
async def show_commands(discord: NamedDependency[Discord]) -> HttpResponse:
    """Every registered command."""
    return json_answer({"items": [command_shown(discord, item) for item in discord.commands.values()]})


@post("/discord/nonces/expire", status_code=200)
async def expire_nonces(discord: NamedDependency[Discord]) -> HttpResponse:
    """Let every enforced nonce be forgotten, as after some minutes."""
    return json_answer({"expired": discord.expire_nonces()})


HANDLERS = [
    show_messages,
    show_members,
    put_member,
    act,
    decide,
    show_gateway,
    drop,
    show_commands,
    expire_nonces,
]
