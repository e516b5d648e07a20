"""Channels and messages over REST."""

from __future__ import annotations

from typing import Any

from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.chaos import Chaos
from sandbox.discord.content import CREATE, EDIT, mentioned, message_body, require_something
from sandbox.discord.forms import body_of, checked, each, members, snowflake, text
from sandbox.discord.http import as_bot
from sandbox.discord.service import Discord
from sandbox.discord.shown import channel_shown, message_shown
from sandbox.discord.things import Message
from sandbox.http import HttpRequest, HttpResponse

PRIVATE_CHANNEL = members("recipient_id", recipient_id=snowflake, access_tokens=each(text(2000), 10))
MESSAGES = "/channels/{channel_id:str}/messages"


@post("/users/@me/channels", status_code=200)
async def open_private(
    request: HttpRequest, discord: NamedDependency[Discord], chaos: NamedDependency[Chaos]
) -> HttpResponse:
    """Open the direct messages with somebody; the same channel every time. Closed ones refuse at the first message."""
    leave = as_bot(request, discord, chaos, "private")
    wish = checked(PRIVATE_CHANNEL, await body_of(request))
    return leave.answer(channel_shown(discord, discord.private_channel(wish["recipient_id"])))


@get("/channels/{channel_id:str}")
async def show_channel(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    chaos: NamedDependency[Chaos],
    channel_id: FromPath[str],
) -> HttpResponse:
    """A channel."""
    leave = as_bot(request, discord, chaos, "reading", channel_id)
    return leave.answer(channel_shown(discord, discord.channel(channel_id)))


@post(MESSAGES, status_code=200)
async def create(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    chaos: NamedDependency[Chaos],
    channel_id: FromPath[str],
) -> HttpResponse:
    """Write a message; an enforced nonce that was used in the past minutes gives the message it was used for."""
    leave = as_bot(request, discord, chaos, "messages", channel_id)
    wish = message_body(CREATE, await body_of(request))
    channel = discord.channel(channel_id)
    discord.check_open(channel)
    require_something(wish)
    nonce, enforced = wish.get("nonce"), wish.pop("enforce_nonce", False)
    known = discord.written_with(nonce) if enforced and nonce is not None else None
    if known is None:
        known = discord.write(channel, **shaped(wish))
        if enforced and nonce is not None:
            discord.remember(nonce, known)
    return leave.answer(message_shown(discord, known))


def shaped(wish: dict[str, Any]) -> dict[str, Any]:
    """A checked body as a message's members."""
    kept: dict[str, Any] = {
        name: wish[name] for name in ("embeds", "components", "flags", "nonce") if name in wish
    }
    if "content" in wish:
        users, roles, everyone = mentioned(wish["content"], wish.get("allowed_mentions"))
        kept |= {"content": wish["content"], "mentions": users, "roles": roles, "everyone": everyone}
    return {"content": "", **kept}


def changes(before: Message, wish: dict[str, Any]) -> dict[str, Any]:
    """A checked body of an edit: what it doesn't name stays. Raises DiscordError 50006."""
    kept = shaped(
        {"content": before.content, "embeds": before.embeds, "components": before.components} | wish
    )
    require_something(kept)
    return kept | {"flags": wish.get("flags", before.flags), "nonce": before.nonce}


@get(MESSAGES + "/{message_id:str}")
async def show(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    chaos: NamedDependency[Chaos],
    channel_id: FromPath[str],
    message_id: FromPath[str],
) -> HttpResponse:
    """A message."""
    leave = as_bot(request, discord, chaos, "reading", channel_id)
    discord.channel(channel_id)
    return leave.answer(message_shown(discord, discord.message(channel_id, message_id)))


@patch(MESSAGES + "/{message_id:str}", status_code=200)
async def edit(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    chaos: NamedDependency[Chaos],
    channel_id: FromPath[str],
    message_id: FromPath[str],
) -> HttpResponse:
    """Edit a message."""
    leave = as_bot(request, discord, chaos, "messages", channel_id)
    wish = message_body(EDIT, await body_of(request))
    before = discord.message(discord.channel(channel_id).id, message_id)
    return leave.answer(message_shown(discord, discord.edit(before, **changes(before, wish))))


HANDLERS = [open_private, show_channel, create, show, edit]
