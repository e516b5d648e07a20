"""Answers of the bot over REST: to an interaction, to the original answer, and further ones."""

from __future__ import annotations

from typing import Any

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from sandbox.discord.content import EDIT, MESSAGE, message_body, require_something
from sandbox.discord.errors import DiscordError, unknown
from sandbox.discord.forms import Members, body_of, checked, members, one_of
from sandbox.discord.interactions import COMMAND, COMPONENT, Interaction, Interactions, asked_by, viewer_of
from sandbox.discord.rest_messages import changes, shaped
from sandbox.discord.service import Discord
from sandbox.discord.shown import message_shown
from sandbox.discord.things import EPHEMERAL, LOADING, Message
from sandbox.http import HttpRequest, HttpResponse, json_answer

SAY, LATER, LATER_HERE, CHANGE = 4, 5, 6, 7
KINDS = {COMMAND: (SAY, LATER), COMPONENT: (SAY, LATER, LATER_HERE, CHANGE)}
CALLBACK = members("type", type=one_of(1, SAY, LATER, LATER_HERE, CHANGE, 8, 9, 12))
ANSWER = Members(MESSAGE)
HOOK = "/webhooks/{application_id:str}/{token:str}"


@post("/interactions/{interaction_id:str}/{token:str}/callback", status_code=200)
async def answer(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    interactions: NamedDependency[Interactions],
    interaction_id: FromPath[str],
    token: FromPath[str],
) -> HttpResponse:
    """The first answer to an interaction: a message, a change of the clicked one, or a promise of either."""
    interaction = interactions.answerable(interaction_id, token)
    body = await body_of(request)
    kind = checked(CALLBACK, body)["type"]
    if kind not in KINDS[interaction.kind]:
        sentence = f"Served here for this interaction are the types {KINDS[interaction.kind]}."
        errors = {
            "type": {
                "_errors": [
                    {"code": "INTERACTION_APPLICATION_COMMAND_CALLBACK_TYPE_INVALID", "message": sentence}
                ]
            }
        }
        raise DiscordError(400, 50035, "Invalid Form Body", errors=errors)
    message = _answered(discord, interactions, interaction, kind, body.get("data") or {})
    if request.query_params.get("with_response", "").lower() not in ("true", "1"):
        return json_answer(None, 204)
    return json_answer(_callback_shown(discord, interaction, kind, message))


def _answered(
    discord: Discord, interactions: Interactions, interaction: Interaction, kind: int, data: Any
) -> Message | None:
    if kind == LATER_HERE:
        interactions.note(interaction, answered=kind, original=interaction.message)
        return discord.messages.get(interaction.message)
    wish = message_body(ANSWER, data)
    if kind == CHANGE:
        clicked = _existing(discord, interaction.message)
        message = discord.edit(clicked, **changes(clicked, wish | {"flags": clicked.flags}))
    else:
        message = _written(discord, interaction, wish, later=kind == LATER)
    interactions.note(interaction, message, answered=kind, original=message.id)
    return message


def _written(
    discord: Discord, interaction: Interaction, wish: dict[str, Any], *, later: bool = False
) -> Message:
    """A new message that answers; `later`: one that only says that the bot is thinking."""
    flags = wish.get("flags", 0)
    kept = {"content": "", "flags": flags & EPHEMERAL | LOADING} if later else shaped(wish)
    if not later:
        require_something(wish)
    asked = asked_by(interaction)
    return discord.write(
        discord.channel(interaction.channel), **kept, viewer=viewer_of(interaction, flags), asked=asked
    )


def _callback_shown(
    discord: Discord, interaction: Interaction, kind: int, message: Message | None
) -> dict[str, Any]:
    told: dict[str, Any] = {"id": interaction.id, "type": interaction.kind, "channel_id": interaction.channel}
    if message is None:
        return {"interaction": told}
    told |= {
        "response_message_id": message.id,
        "response_message_loading": bool(message.flags & LOADING),
        "response_message_ephemeral": bool(message.flags & EPHEMERAL),
    }
    if kind not in (SAY, CHANGE):
        return {"interaction": told}
    return {"interaction": told, "resource": {"type": kind, "message": message_shown(discord, message)}}


@post(HOOK, status_code=200)
async def follow_up(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    interactions: NamedDependency[Interactions],
    token: FromPath[str],
) -> HttpResponse:
    """A further answer; the first one after a promise takes the promise's place."""
    interaction = interactions.answered(token)
    leave = discord.limits.take("webhooks", interaction.id)
    wish = message_body(ANSWER, await body_of(request))
    original = discord.messages.get(interaction.original)
    if original and original.flags & LOADING:
        message = _filled(discord, original, wish)
    else:
        message = _written(discord, interaction, wish)
    interactions.note(interaction, message)
    return leave.answer(message_shown(discord, message))


@get(HOOK + "/messages/{message_id:str}")
async def show(
    discord: NamedDependency[Discord],
    interactions: NamedDependency[Interactions],
    token: FromPath[str],
    message_id: FromPath[str],
) -> HttpResponse:
    """An answer; `@original` is the first."""
    interaction = interactions.answered(token)
    leave = discord.limits.take("webhooks", interaction.id)
    return leave.answer(message_shown(discord, _own(discord, interaction, message_id)))


@patch(HOOK + "/messages/{message_id:str}", status_code=200)
async def edit(
    request: HttpRequest,
    discord: NamedDependency[Discord],
    interactions: NamedDependency[Interactions],
    token: FromPath[str],
    message_id: FromPath[str],
) -> HttpResponse:
    """Change an answer; a promise is kept by it."""
    interaction = interactions.answered(token)
    leave = discord.limits.take("webhooks", interaction.id)
    wish = message_body(EDIT, await body_of(request))
    message = _filled(discord, _own(discord, interaction, message_id), wish)
    interactions.note(interaction, message)
    return leave.answer(message_shown(discord, message))


@delete(HOOK + "/messages/{message_id:str}", status_code=200)
async def remove(
    discord: NamedDependency[Discord],
    interactions: NamedDependency[Interactions],
    token: FromPath[str],
    message_id: FromPath[str],
) -> HttpResponse:
    """Take an answer back."""
    interaction = interactions.answered(token)
    leave = discord.limits.take("webhooks", interaction.id)
    discord.messages.drop(_own(discord, interaction, message_id).id)
    interactions.note(interaction)
    return leave.answer(None, 204)


def _filled(discord: Discord, message: Message, wish: dict[str, Any]) -> Message:
    """The message changed, or filled in for the first time; who sees it stays."""
    kept = changes(message, wish)
    return discord.edit(message, **kept | {"flags": message.flags & ~LOADING})


def _existing(discord: Discord, message_id: str) -> Message:
    found = discord.messages.get(message_id)
    if found is None:
        raise unknown("message")
    return found


def _own(discord: Discord, interaction: Interaction, message_id: str) -> Message:
    """The interaction's answer of that id. Raises DiscordError 10008."""
    own = {interaction.original, *interaction.touched}
    wanted = interaction.original if message_id == "@original" else message_id
    if wanted not in own:
        raise unknown("message")
    return _existing(discord, wanted)


HANDLERS = [answer, follow_up, show, edit, remove]
