"""Discord as a whole: the server, its members, the channels and messages, and the state it starts with."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from sandbox.discord import seeds
from sandbox.discord.errors import DiscordError, unknown
from sandbox.discord.limits import Limits
from sandbox.discord.things import (
    Channel,
    Command,
    Member,
    Message,
    Numbers,
    instant,
)
from sandbox.settings import Settings
from sandbox.state import Collection, Store

NONCE_SECONDS = 300.0


class Used(msgspec.Struct, frozen=True):
    """An enforced nonce: the message it stands for, until when (machine time)."""

    message: str
    until: float


class Discord:
    """The stand-in's state. The bot's account has the application's id."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.numbers = Numbers(store)
        self.limits = Limits()
        self.members: Collection[Member] = store.collection("discord.members", Member)
        self.channels: Collection[Channel] = store.collection("discord.channels", Channel)
        self.messages: Collection[Message] = store.collection("discord.messages", Message)
        self.commands: Collection[Command] = store.collection("discord.commands", Command)
        self._nonces: Collection[Used] = store.collection("discord.nonces", Used)
        if not self.members:
            self.reset()

    @property
    def bot_id(self) -> str:
        """The id of the application and of its bot."""
        return self.settings.discord_client_id

    @property
    def guild_id(self) -> str:
        """The id of the server."""
        return self.settings.discord_guild_id

    def reset(self) -> None:
        """The state as after a first start: the cast's accounts, one text channel, nothing written."""
        for collection in (self.members, self.channels, self.messages, self.commands, self._nonces):
            collection.clear()
        self.limits.clear()
        seeds.plant(self)

    def member(self, id_: str) -> Member:
        """Somebody with an account. Raises DiscordError 404."""
        found = self.members.get(id_)
        if found is None:
            raise unknown("user")
        return found

    def member_here(self, id_: str) -> Member:
        """A member of the server. Raises DiscordError 404."""
        found = self.members.get(id_)
        if found is None or not found.here:
            raise unknown("member")
        return found

    def channel(self, id_: str) -> Channel:
        """A channel. Raises DiscordError 404."""
        found = self.channels.get(id_)
        if found is None:
            raise unknown("channel")
        return found

    def change(self, member: Member, **values: Any) -> Member:
        """The member with other values."""
        return self.members.put(member.id, msgspec.structs.replace(member, **values))

    def private_channel(self, recipient: str) -> Channel:
        """The direct messages with a member, opened the first time. Raises DiscordError 400."""
        if recipient not in self.members:
            raise DiscordError(400, 50033, "Invalid Recipient(s)")
        for channel in self.channels.values():
            if channel.recipient == recipient:
                return channel
        fresh = Channel(self.numbers.next(), recipient=recipient)
        return self.channels.put(fresh.id, fresh)

    def check_open(self, channel: Channel) -> None:
        """Raises DiscordError 403 if the bot may not write there: 50007 closed, 50278 no server in common."""
        if not channel.recipient:
            return
        member = self.members.get(channel.recipient)
        if member is None or not member.here:
            sentence = "Cannot send messages to this user due to having no mutual guilds"
            raise DiscordError(403, 50278, sentence)
        if not member.open:
            raise DiscordError(403, 50007, "Cannot send messages to this user")

    def message(self, channel_id: str, message_id: str) -> Message:
        """A message that everybody in the channel sees. Raises DiscordError 404."""
        found = self.messages.get(message_id)
        if found is None or found.channel != channel_id or found.viewer:
            raise unknown("message")
        return found

    def write(self, channel: Channel, **members: Any) -> Message:
        """A new message of the bot."""
        message = Message(id=self.numbers.next(), channel=channel.id, at=instant(), **members)
        return self.messages.put(message.id, message)

    def edit(self, message: Message, **members: Any) -> Message:
        """The message with other members."""
        changed = msgspec.structs.replace(message, edited_at=instant(), **members)
        return self.messages.put(message.id, changed)

    def written_with(self, nonce: str | int) -> Message | None:
        """The message that an enforced nonce stands for. Raises DiscordError 404 if that was deleted."""
        used = self._nonces.get(str(nonce))
        if used is None or used.until <= time.time():
            return None
        found = self.messages.get(used.message)
        if found is None:
            raise unknown("message")
        return found

    def remember(self, nonce: str | int, message: Message) -> None:
        """Let an enforced nonce stand for the message for some minutes of machine time."""
        self._nonces.put(str(nonce), Used(message.id, time.time() + NONCE_SECONDS))

    def expire_nonces(self) -> int:
        """Let every nonce be forgotten, as after some minutes; gives their number."""
        count = len(self._nonces)
        self._nonces.clear()
        return count
