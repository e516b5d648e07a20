"""What a vendor's answer means for a message; the same for mail and Discord.

The text of an error names the vendor's error, never what the message says.
"""

from __future__ import annotations


class DeliveryError(Exception):
    """The message was not confirmed."""


class Refused(DeliveryError):
    """The vendor will never take this message as it is."""


class Closed(Refused):
    """Its recipient takes no direct messages from us."""


class Postponed(DeliveryError):
    """The vendor has not taken it, for a reason that passes. `after_seconds`: what it asked us to wait."""

    def __init__(self, reason: str, after_seconds: float = 0.0) -> None:
        self.after_seconds = after_seconds
        super().__init__(reason)


class Unknown(DeliveryError):
    """Nobody knows whether the vendor has it: no answer, or an answer that says nothing."""
