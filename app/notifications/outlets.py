"""The channels of one process."""

from __future__ import annotations

from dataclasses import dataclass

from app.notifications.mailer import Mailer
from app.notifications.messenger import Messenger
from app.notifications.models import Channel


@dataclass(frozen=True, slots=True)
class Outlets:
    """What writes and sends on each channel."""

    mailer: Mailer
    messenger: Messenger

    def of(self, channel: Channel) -> Mailer | Messenger:
        """The channel's."""
        return self.mailer if channel is Channel.EMAIL else self.messenger
