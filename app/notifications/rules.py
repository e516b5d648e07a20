"""What may be done with a delivery; pure. All instants here are machine time: the vendor's window runs in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from app.notifications.models import DeliveryState

# Resend remembers an idempotency key for 24 hours; the margin covers the request's way and clocks that disagree.
RESEND_WINDOW = timedelta(hours=24) - timedelta(minutes=10)


class Step(StrEnum):
    """What comes next for a delivery."""

    SEND = "send"
    WAIT = "wait"  # another worker has it
    GIVE_UP = "give up"  # nobody knows whether it was sent, and the key that would tell is forgotten
    NOTHING = "nothing"  # settled


def next_step(
    state: DeliveryState, unknown_since: datetime | None, claimed_until: datetime | None, now: datetime
) -> Step:
    """The next step at `now`. `unknown_since`: the first attempt whose outcome the vendor did not tell."""
    if state not in (DeliveryState.PENDING, DeliveryState.SENDING):
        return Step.NOTHING
    if claimed_until is not None and claimed_until > now:
        return Step.WAIT
    if unknown_since is not None and now - unknown_since >= RESEND_WINDOW:
        return Step.GIVE_UP
    return Step.SEND
