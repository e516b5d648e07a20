"""What every call of the interface shares: who asks, and how much they may."""

from __future__ import annotations

import base64
import binascii
import re
import secrets

from sandbox.chaos import Chaos
from sandbox.discord.errors import unauthorized
from sandbox.discord.limits import Pass
from sandbox.discord.service import Discord
from sandbox.http import HttpRequest


def is_bot(discord: Discord, chaos: Chaos, token: str) -> bool:
    """Whether a token is the bot's: three parts, the first the bot's id in base64. The dial's `revoke` refuses all."""
    parts = token.split(".")
    try:
        named = base64.urlsafe_b64decode(parts[0] + "==").decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    if len(parts) != 3 or not re.fullmatch(r"\d{15,20}", named) or chaos.dial("discord").revoke:
        return False
    return secrets.compare_digest(token.encode(), discord.settings.discord_bot_token.encode())


def as_bot(request: HttpRequest, discord: Discord, chaos: Chaos, family: str, about: str = "") -> Pass:
    """Let the bot go on with a request of this family of routes. Raises DiscordError 401 or 429."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bot" or not is_bot(discord, chaos, token):
        raise unauthorized()
    return discord.limits.take(family, about)
