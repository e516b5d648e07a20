"""What may be done with a delivery, and why one isn't made; pure.

All instants here are machine time: the vendors' windows run in it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from app.notifications.kinds import Kind
from app.notifications.models import Channel, DeliveryState, SkipReason

# Resend remembers an idempotency key for 24 hours; the margin covers the request's way and clocks that disagree.
RESEND_WINDOW = timedelta(hours=24) - timedelta(minutes=10)
# Discord keeps an enforced nonce for "the past few minutes" and says no more than that: two are few. The margin is more
# than an attempt takes.
DISCORD_WINDOW = timedelta(minutes=2) - timedelta(seconds=15)
# What a lease has beyond the longest attempt.
LEASE_MARGIN = timedelta(seconds=2)


class Step(StrEnum):
    """What comes next for a delivery."""

    SEND = "send"
    WAIT = "wait"  # another worker has it
    GIVE_UP = "give up"  # nobody knows whether it was sent, and the key that would tell is forgotten
    NOTHING = "nothing"  # settled


def next_step(
    state: DeliveryState,
    unknown_since: datetime | None,
    claimed_until: datetime | None,
    now: datetime,
    window: timedelta,
) -> Step:
    """The next step at `now`. `unknown_since`: the first attempt whose outcome the vendor did not tell.

    `window`: for how long the vendor knows from then on what it was sent.
    """
    if state not in (DeliveryState.PENDING, DeliveryState.SENDING):
        return Step.NOTHING
    if claimed_until is not None and claimed_until > now:
        return Step.WAIT
    if unknown_since is not None and now - unknown_since >= window:
        return Step.GIVE_UP
    return Step.SEND


def skip_reason(
    kind: Kind,
    channel: Channel,
    *,
    wished: SkipReason | None,
    is_on: bool,
    mail_paused: bool,
    turned_off: bool,
) -> SkipReason | None:
    """Why a notification isn't sent on a channel; None if it is.

    `wished`: by who composed it. A link that lets its reader in was asked for by the reader at this moment: it goes to
    a paused address, too. What isn't optional can't be turned off.
    """
    if wished is not None:
        return wished
    if not is_on:
        return SkipReason.NOT_CONFIGURED
    if channel is Channel.EMAIL and mail_paused and not kind.secret:
        return SkipReason.PAUSED
    if turned_off and kind.optional:
        return SkipReason.TURNED_OFF
    return None
