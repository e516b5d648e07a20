"""Tokens that Agora lets into a channel, made with the application's certificate. Their times are machine time."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, cast

from agora_token_builder import RtcTokenBuilder

from app.settings import Settings, SettingsError

_PUBLISHER: Final = 1
_KEY: Final = re.compile(r"[0-9a-fA-F]{32}")


class Agora:
    """The operator's application at Agora."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError for an id or a certificate that can't be one: both are 32 hexadecimal digits."""
        self.app_id = settings.agora_app_id
        self._certificate = settings.agora_app_certificate
        for name, value in (("AGORA_APP_ID", self.app_id), ("AGORA_APP_CERTIFICATE", self._certificate)):
            if not _KEY.fullmatch(value):
                raise SettingsError(f"{name} is not 32 hexadecimal digits")

    def token(self, channel: str, account: str, until: datetime) -> str:
        """A token for this account to join the channel, and to send there, until that instant of machine time."""
        seconds = int(until.timestamp())
        return cast(
            str,
            RtcTokenBuilder.buildTokenWithAccount(
                self.app_id, self._certificate, channel, account, _PUBLISHER, seconds
            ),
        )
