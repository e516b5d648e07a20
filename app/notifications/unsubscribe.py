"""The way out of a kind of notification: a link that its reader alone has, in the mail's head and at its foot.

The link carries user, kind and channel, signed with a key derived from SECRET_KEY. It doesn't end: mails are kept for
years, and whoever has it can only turn this one thing off and on again. RFC 8058 lets a mail program press it itself.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.crypto import signature
from app.notifications.catalogue import CATALOGUE
from app.notifications.kinds import Kind
from app.notifications.models import Channel
from app.settings import Settings

PATH = "/unsubscribe/"
ONE_CLICK = ("List-Unsubscribe", "One-Click")
_USE = "unsubscribe"
_TOKEN = re.compile(r"([A-Za-z0-9_-]{22})\.([a-z_]+)\.([a-z]+)\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a link is about: one kind of notification, on one channel, of one user."""

    user_id: UUID
    kind: Kind
    channel: Channel


def token(settings: Settings, user_id: UUID, kind: str, channel: Channel = Channel.EMAIL) -> str:
    """`<user>.<kind>.<channel>.<signature>`, fit for an address."""
    told = f"{base64.urlsafe_b64encode(user_id.bytes).decode().rstrip('=')}.{kind}.{channel}"
    return f"{told}.{signature(settings, _USE, told)}"


def read(settings: Settings, text: str) -> Choice | None:
    """What a token is about; None for one that isn't ours, or whose kind can't be turned off (any more)."""
    parts = _TOKEN.fullmatch(text)
    if parts is None:
        return None
    told, _, given = text.rpartition(".")
    if not hmac.compare_digest(signature(settings, _USE, told), given):
        return None
    kind, channel = CATALOGUE.get(parts[2]), Channel(parts[3])
    if kind is None or not kind.optional or channel not in kind.channels:
        return None
    return Choice(UUID(bytes=base64.urlsafe_b64decode(parts[1] + "==")), kind, channel)


def address(settings: Settings, user_id: UUID, kind: str, channel: Channel = Channel.EMAIL) -> str:
    """The whole address of the link."""
    return settings.public_url.rstrip("/") + PATH + token(settings, user_id, kind, channel)


def headers_for(settings: Settings, user_id: UUID, kind: str) -> dict[str, str]:
    """What the head of a mail of `kind` says (RFC 2369, RFC 8058); nothing where it can't be turned off."""
    if not CATALOGUE[kind].optional:
        return {}
    return {
        "List-Unsubscribe": f"<{address(settings, user_id, kind)}>",
        "List-Unsubscribe-Post": "=".join(ONE_CLICK),
    }


def footer_for(settings: Settings, user_id: UUID, kind: str) -> dict[str, Any]:
    """What the layouts of mails take besides, as `way_out`: None where the kind can't be turned off."""
    known = CATALOGUE[kind]
    if not known.optional:
        return {"way_out": None}
    settings_link = settings.public_url.rstrip("/") + "/settings#notifications"
    link = address(settings, user_id, kind)
    return {"way_out": {"about": known.about, "link": link, "settings_link": settings_link}}
