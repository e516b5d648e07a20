"""What a member's page shows: channels, messages with what can be clicked, commands with what can be filled in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from sandbox.discord.acting import available, sees
from sandbox.discord.commands import GROUP, SUBCOMMAND
from sandbox.discord.markdown import rendered
from sandbox.discord.service import Discord
from sandbox.discord.shown import roles
from sandbox.discord.things import EPHEMERAL, LOADING, Channel, Member, Message

NEWEST = 50


@dataclass(frozen=True)
class Shown:
    """A message as one member sees it."""

    id: str
    at: datetime
    text: Markup
    embeds: list[dict[str, Any]]
    rows: list[list[dict[str, Any]]]
    said: str
    private: bool
    loading: bool
    edited: bool


@dataclass(frozen=True)
class Typed:
    """A command, or a subcommand, that can be typed; `name` with its path."""

    name: str
    description: str
    options: list[dict[str, Any]]


@dataclass(frozen=True)
class Reader:
    """One member's eyes; `now` is business time, from which relative times are told."""

    discord: Discord
    member: Member
    now: datetime

    def messages(self, channel: Channel) -> list[Shown]:
        """The newest of a channel, oldest first."""
        seen = [
            message
            for message in self.discord.messages.values()
            if message.channel == channel.id and sees(self.discord, self.member, message)
        ]
        return [self._shown(message) for message in sorted(seen, key=lambda m: int(m.id))[-NEWEST:]]

    def commands(self, channel: Channel) -> list[Typed]:
        """What can be typed there, by name."""
        found = available(self.discord, channel)
        typed = [
            leaf
            for command in found
            for leaf in _leaves(
                command.name, command.body.get("description", ""), command.body.get("options", [])
            )
        ]
        return sorted(typed, key=lambda leaf: leaf.name)

    def roles(self) -> list[str]:
        """The names of the member's roles."""
        return [role["name"] for role in roles(self.discord) if role["id"] in self.member.roles]

    def text(self, words: str) -> Markup:
        """Markdown as HTML."""
        return rendered(words, self._named, self.now)

    def _shown(self, message: Message) -> Shown:
        return Shown(
            id=message.id,
            at=datetime.fromisoformat(message.at),
            text=self.text(message.content),
            embeds=[self._embed(embed) for embed in message.embeds],
            rows=[row["components"] for row in message.components],
            said=self._said(message),
            private=bool(message.flags & EPHEMERAL),
            loading=bool(message.flags & LOADING),
            edited=message.edited_at is not None and message.asked is None,
        )

    def _embed(self, embed: dict[str, Any]) -> dict[str, Any]:
        fields = [
            {"name": self.text(item["name"]), "value": self.text(item["value"])}
            for item in embed.get("fields", [])
        ]
        return {
            "title": embed.get("title", ""),
            "url": embed.get("url", ""),
            "text": self.text(embed.get("description", "")),
            "author": embed.get("author", {}).get("name", ""),
            "footer": embed.get("footer", {}).get("text", ""),
            "fields": fields,
        }

    def _said(self, message: Message) -> str:
        """What the message answers: "Demo Student used /next"."""
        if message.asked is None or not message.asked.name:
            return ""
        return f"{self._named('@', message.asked.member)} used /{message.asked.name}"

    def _named(self, kind: str, id_: str) -> str:
        if kind == "#":
            channel = self.discord.channels.get(id_)
            return channel.name if channel else "unknown"
        if kind == "@&":
            return next((role["name"] for role in roles(self.discord) if role["id"] == id_), "unknown role")
        if id_ == self.discord.bot_id:
            return "huckleberry-bot"
        member = self.discord.members.get(id_)
        return member.name if member else "unknown user"


def _leaves(name: str, description: str, options: list[dict[str, Any]]) -> Iterator[Typed]:
    """A command itself, or in its place each of its subcommands."""
    nested = [option for option in options if option["type"] in (SUBCOMMAND, GROUP)]
    if not nested:
        yield Typed(name, description, options)
    for option in nested:
        yield from _leaves(f"{name} {option['name']}", option["description"], option.get("options", []))
