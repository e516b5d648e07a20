"""What Discord keeps: members, channels, messages, commands; and how each is shown to programs."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from sandbox.state import Collection, Store

EPOCH_MS = 1_420_070_400_000
EPHEMERAL = 64
LOADING = 128


class Member(msgspec.Struct, frozen=True):
    """Somebody with a Discord account; `here`: on our server. `open`: the server's bot may write to them directly."""

    id: str
    username: str
    name: str
    email: str
    joined_at: str
    roles: list[str] = []
    open: bool = True
    here: bool = True


class Channel(msgspec.Struct, frozen=True):
    """A text channel of the server, or the direct messages of the bot and `recipient` (a member's id)."""

    id: str
    name: str = ""
    recipient: str = ""


class Asked(msgspec.Struct, frozen=True):
    """What an answer answers: an interaction of kind 2 (a command, by `name`) or 3 (a component of `message`)."""

    id: str
    kind: int
    member: str
    name: str = ""
    message: str = ""


class Message(msgspec.Struct, frozen=True):
    """A message of the bot; instants are machine time, ISO 8601. `viewer`: the one member who sees it."""

    id: str
    channel: str
    content: str
    at: str
    edited_at: str | None = None
    nonce: str | int | None = None
    flags: int = 0
    embeds: list[dict[str, Any]] = []
    components: list[dict[str, Any]] = []
    mentions: list[str] = []
    roles: list[str] = []
    everyone: bool = False
    viewer: str = ""
    asked: Asked | None = None


class Command(msgspec.Struct, frozen=True):
    """A registered command, of the server `guild` or of all; `body` as it was sent."""

    id: str
    version: str
    name: str
    guild: str
    body: dict[str, Any]


class Numbers:
    """Snowflakes: rising ids that carry the millisecond they were made in."""

    def __init__(self, store: Store) -> None:
        self._last: Collection[int] = store.collection("discord.numbers", int)

    def next(self) -> str:
        """A new id, above every one before."""
        fresh = (int(time.time() * 1000) - EPOCH_MS) << 22
        return str(self._last.put("last", max(fresh, (self._last.get("last") or 0) + 1)))


def instant() -> str:
    """Machine time now, as Discord writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def fresh_member(
    numbers: Numbers, id_: str = "", username: str = "", name: str = "", email: str = ""
) -> Member:
    """Somebody new on the server; what is not given is made up."""
    own = id_ or numbers.next()
    nick = username or f"member{own[-6:]}"
    return Member(own, nick, name or nick, email or f"{nick}@example.test", instant())


def user_shown(member: Member) -> dict[str, Any]:
    """A member's account as anybody sees it."""
    return account(member.id, member.username, member.name)


def account(id_: str, username: str, name: str | None, **more: Any) -> dict[str, Any]:
    """A user object."""
    return {
        "id": id_,
        "username": username,
        "avatar": None,
        "discriminator": "0",
        "public_flags": 0,
        "flags": 0,
        "banner": None,
        "accent_color": None,
        "global_name": name,
        "avatar_decoration_data": None,
        "collectibles": None,
        "primary_guild": None,
        **more,
    }


def member_shown(member: Member) -> dict[str, Any]:
    """A member of the server."""
    return {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "joined_at": member.joined_at,
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": member.roles,
        "user": user_shown(member),
        "mute": False,
        "deaf": False,
    }
