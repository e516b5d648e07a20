"""What members do with the bot: typed commands and clicks, and the answers that come back to them."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import msgspec

from sandbox.discord.errors import DiscordError, unknown
from sandbox.discord.gateway import Gateway
from sandbox.discord.seeds import LOUNGE
from sandbox.discord.service import Discord
from sandbox.discord.shown import OF_BOT, OF_EVERYBODY, channel_shown, message_shown
from sandbox.discord.things import (
    EPHEMERAL,
    LOADING,
    Asked,
    Channel,
    Member,
    Message,
    member_shown,
    user_shown,
)
from sandbox.state import Collection, Store

COMMAND, COMPONENT = 2, 3
TOKEN_SECONDS = 900.0
FOLLOW_SECONDS = 20.0
ATTACHMENT_LIMIT = 10_485_760


class Interaction(msgspec.Struct, frozen=True):
    """Something a member did; times are machine time. `answered`: kind of the first answer, `original`: its message.

    `touched`: every message the answers wrote or changed, in order.
    """

    id: str
    token: str
    kind: int
    member: str
    channel: str
    data: dict[str, Any]
    answer_by: float
    until: float
    name: str = ""
    message: str = ""
    answered: int = 0
    original: str = ""
    touched: list[str] = []


class Interactions:
    """Those of the last minutes."""

    def __init__(self, discord: Discord, gateway: Gateway, store: Store) -> None:
        self._discord = discord
        self._gateway = gateway
        self._kept: Collection[Interaction] = store.collection("discord.interactions", Interaction)
        self._news: dict[str, asyncio.Event] = {}

    def clear(self) -> None:
        """Forget all of them."""
        self._kept.clear()
        for news in self._news.values():
            news.set()

    def answerable(self, id_: str, token: str) -> Interaction:
        """One that waits for its first answer. Raises DiscordError 10062 or 40060."""
        found = self._kept.get(token)
        if found is None or found.id != id_ or (not found.answered and found.answer_by < time.time()):
            raise unknown("interaction")
        if found.answered:
            raise DiscordError(400, 40060, "Interaction has already been acknowledged.")
        return found

    def answered(self, token: str) -> Interaction:
        """One that was answered and may be followed up. Raises DiscordError 10015 or 50027."""
        found = self._kept.get(token)
        if found is None or not found.answered:
            raise unknown("webhook")
        if found.until < time.time():
            raise DiscordError(401, 50027, "Invalid Webhook Token")
        return found

    def note(self, interaction: Interaction, message: Message | None = None, **members: Any) -> Interaction:
        """Note an answer, and the message it wrote or changed."""
        fresh = self._kept.get(interaction.token) or interaction
        touched = [*fresh.touched, *([message.id] if message and message.id not in fresh.touched else [])]
        kept = msgspec.structs.replace(fresh, touched=touched, **members)
        self._kept.put(interaction.token, kept)
        if news := self._news.get(interaction.token):
            news.set()
        return kept

    def begin(
        self,
        kind: int,
        member: Member,
        channel: Channel,
        data: dict[str, Any],
        *,
        name: str = "",
        message: str = "",
    ) -> Interaction:
        """Let a member do something; the bot is told at once."""
        self._sweep()
        now = time.time()
        fresh = Interaction(
            id=self._discord.numbers.next(),
            token=secrets.token_urlsafe(48),
            kind=kind,
            member=member.id,
            channel=channel.id,
            data=data,
            answer_by=now + self._discord.settings.discord_answer_seconds,
            until=now + TOKEN_SECONDS,
            name=name,
            message=message,
        )
        self._kept.put(fresh.token, fresh)
        self._gateway.tell_all("INTERACTION_CREATE", self._told(fresh, member, channel))
        return fresh

    async def outcome(self, interaction: Interaction) -> Interaction:
        """The interaction once its answer has come, a deferred one once it was filled in, or as far as it came."""
        news = self._news[interaction.token] = asyncio.Event()
        try:
            while True:
                found = self._kept.get(interaction.token) or interaction
                left = self._patience(found) - time.time()
                if not self._waits(found) or left <= 0:
                    return found
                news.clear()
                try:
                    await asyncio.wait_for(news.wait(), left)
                except TimeoutError:
                    continue
                if interaction.token not in self._kept:
                    return found
        finally:
            self._news.pop(interaction.token, None)

    def _patience(self, interaction: Interaction) -> float:
        return interaction.answer_by + (FOLLOW_SECONDS if interaction.answered else 0)

    def _waits(self, interaction: Interaction) -> bool:
        if not interaction.answered:
            return True
        if interaction.answered == 6:
            return not interaction.touched
        original = self._discord.messages.get(interaction.original)
        return original is not None and bool(original.flags & LOADING)

    def _told(self, interaction: Interaction, member: Member, channel: Channel) -> dict[str, Any]:
        """The interaction as the gateway tells it."""
        discord = self._discord
        told: dict[str, Any] = {
            "id": interaction.id,
            "application_id": discord.bot_id,
            "type": interaction.kind,
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": channel.id,
            "channel": channel_shown(discord, channel) | {"permissions": OF_EVERYBODY},
            "locale": "en-US",
            "app_permissions": OF_BOT,
            "entitlements": [],
            "attachment_size_limit": ATTACHMENT_LIMIT,
        }
        if interaction.message:
            told["message"] = message_shown(discord, discord.messages.get(interaction.message) or _gone())
        if channel.recipient:
            owners = {"0": "0"}
            return told | {"user": user_shown(member), "context": 1, "authorizing_integration_owners": owners}
        guild = {"id": discord.guild_id, "locale": "en-US", "features": []}
        return told | {
            "guild_id": discord.guild_id,
            "guild": guild,
            "guild_locale": "en-US",
            "member": member_shown(member) | {"permissions": OF_EVERYBODY},
            "context": 0,
            "authorizing_integration_owners": {"0": discord.guild_id},
        }

    def _sweep(self) -> None:
        gone = time.time() - TOKEN_SECONDS
        for token, interaction in self._kept.items():
            if interaction.until < gone:
                self._kept.drop(token)


def _gone() -> Message:
    raise unknown("message")


def asked_by(interaction: Interaction) -> Asked:
    """What a message that answers this says about it."""
    return Asked(interaction.id, interaction.kind, interaction.member, interaction.name, interaction.message)


def viewer_of(interaction: Interaction, flags: int) -> str:
    """The one member who sees an answer with these flags; empty: everybody in the channel."""
    return interaction.member if flags & EPHEMERAL else ""


def place_for(discord: Discord, member: Member, *, private: bool) -> Channel:
    """Where a member types: the server's channel, or their direct messages with the bot."""
    return discord.private_channel(member.id) if private else discord.channels.get(LOUNGE.id) or LOUNGE
