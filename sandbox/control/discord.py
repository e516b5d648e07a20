"""Control calls that act at Discord: as a member of the server, or as Discord itself."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency

from sandbox.control.errors import ControlError, body_of
from sandbox.discord.service import Discord
from sandbox.discord.things import EPHEMERAL, LOADING, Member, Message, instant
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
async def put_member(request: HttpRequest, discord: NamedDependency[Discord]) -> HttpResponse:
    """Make a member, or change one: open or close their direct messages, let them leave or come back."""
    wish = await body_of(request, MemberWish)
    if wish.user_id and not re.fullmatch(r"\d{15,20}", wish.user_id):
        raise ControlError(400, f"user_id={wish.user_id!r} is no id of Discord's")
    member = discord.members.get(wish.user_id) or _fresh(discord, wish)
    given = {name: value for name, value in msgspec.structs.asdict(wish).items() if value is not None}
    given.pop("user_id")
    if wish.here is False:
        given["roles"] = []
    return json_answer(discord.change(member, **given))


def _fresh(discord: Discord, wish: MemberWish) -> Member:
    id_ = wish.user_id or discord.numbers.next()
    username = wish.username or f"member{id_[-6:]}"
    return Member(id_, username, wish.name or username, wish.email or f"{username}@example.test", instant())


@post("/discord/nonces/expire", status_code=200)
async def expire_nonces(discord: NamedDependency[Discord]) -> HttpResponse:
    """Let every enforced nonce be forgotten, as after some minutes."""
    return json_answer({"expired": discord.expire_nonces()})


HANDLERS = [show_messages, show_members, put_member, expire_nonces]
