"""What it takes to write and send a direct message on Discord: templates, and Discord where a bot's token is set."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from jinja2 import Environment

from app.core.unit_of_work import UnitOfWork
from app.notifications import markdown
from app.notifications.discord import Button, DirectMessage, Discord
from app.notifications.errors import Postponed
from app.notifications.messages import Contact, Message
from app.notifications.rendering import for_discord, render_direct
from app.notifications.rules import DISCORD_WINDOW, LEASE_MARGIN
from app.settings import Settings

# Told in the transaction that settles a message: the account's id, and whether it takes direct messages.
Heard = Callable[[UnitOfWork, str, bool], Awaitable[None]]

# "A sentence. Label: link" at the end of a line; a title before a name ends no sentence.
_SENTENCE = r"(?P<before>.*\b(?:[a-z]{4,}|[A-Z][a-z]{5,})[.?!] )?"
_LINK_LINE = re.compile(rf"^{_SENTENCE}(?P<label>.+): (?P<url>https?://\S+)$", re.MULTILINE)
_LONGEST_LABEL, _LONGEST_URL = 80, 512


async def _nobody_listens(uow: UnitOfWork, discord_id: str, takes_messages: bool) -> None:
    """Nothing is kept of it."""


@dataclass(frozen=True)
class Messenger:
    """`discord` is None without a token: messages are recorded as skipped, the platform works on.

    `lease` and `window` as of the mailer.
    """

    templates: Environment
    discord: Discord | None
    lease: timedelta
    heard: Heard = _nobody_listens
    window: timedelta = DISCORD_WINDOW

    @classmethod
    def of(cls, settings: Settings, heard: Heard = _nobody_listens) -> Messenger:
        """The messenger that `settings` describe."""
        return cls(
            templates=for_discord(settings),
            discord=Discord(settings) if settings.discord_enabled else None,
            lease=timedelta(seconds=settings.discord_timeout_seconds) + LEASE_MARGIN,
            heard=heard,
        )

    @property
    def is_on(self) -> bool:
        """True if messages can be sent."""
        return self.discord is not None

    def write(self, kind: str, message: Message, contact: Contact) -> dict[str, Any]:
        """The message for one recipient, as it is kept and sent: `recipient_id`, `content`, `button` or None."""
        text, button = with_button(render_direct(self.templates, kind, message.context))
        shown = {"label": button.label, "url": button.url} if button else None
        return {"recipient_id": contact.discord_id, "content": markdown.shorten(text), "button": shown}

    async def send(self, body: dict[str, Any], delivery_id: UUID) -> str:
        """Send what `write` wrote; returns Discord's id. Raises Closed, Refused, Postponed, Unknown."""
        if self.discord is None:
            raise Postponed("no token for Discord is set")
        button = Button(**body["button"]) if body["button"] else None
        return await self.discord.send(
            body["recipient_id"], DirectMessage(body["content"], button), nonce(delivery_id)
        )


def nonce(delivery_id: UUID) -> str:
    """A delivery's id in 22 characters, of the 25 that Discord allows."""
    return base64.urlsafe_b64encode(delivery_id.bytes).rstrip(b"=").decode()


def with_button(text: str) -> tuple[str, Button | None]:
    """The text without its link, and a button for it, where `label: link` ends a line and is the only link."""
    found = list(_LINK_LINE.finditer(text))
    if len(found) != 1 or len(re.findall(r"https?://", text)) != 1:
        return text, None
    (line,) = found
    label, url = markdown.plain(line["label"]), line["url"]
    if len(label) > _LONGEST_LABEL or len(url) > _LONGEST_URL or "<t:" in label or not _is_public(url):
        return text, None
    rest = f"{text[: line.start()]}{(line['before'] or '').rstrip()}{text[line.end() :]}"
    return re.sub(r"\n{3,}", "\n\n", rest).strip(), Button(label, url)


def _is_public(url: str) -> bool:
    """True if Discord may take it for a button: a host without a dot is none to it."""
    return "." in (urlsplit(url).hostname or "")
