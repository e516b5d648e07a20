"""What a kind of notification is: who may be told what, when, and what makes two of them the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.core.unit_of_work import Role
from app.notifications.models import Channel

STUDENT, MENTOR, ADMIN = (frozenset({role}) for role in (Role.STUDENT, Role.MENTOR, Role.ADMIN))
BOTH = STUDENT | MENTOR
EVERYBODY = BOTH | ADMIN

MAIL_ONLY = (Channel.EMAIL,)
ALL_CHANNELS = (Channel.EMAIL, Channel.DISCORD)


class Anchor(StrEnum):
    """An instant that timed notifications are counted from, written in the transaction that sets it."""

    SESSION = "session"  # a session's start; payload: session_id, version
    PACK = "pack"  # a pack's expiry; payload: pack_id
    GRACE = "grace"  # the end of a seat's grace; payload: seat_id
    RECORDING = "recording"  # when the link to a session's recording is removed; payload: session_id
    ACCOUNT = "account"  # when somebody's account became usable; payload: user_id


@dataclass(frozen=True, slots=True)
class Timed:
    """Due at its anchor plus `offset` (negative: before it), of use for `lasts` from then on."""

    anchor: Anchor
    offset: timedelta
    lasts: timedelta

    def due(self, anchor_at: datetime) -> datetime:
        """When it is sent."""
        return anchor_at + self.offset

    def is_late(self, anchor_at: datetime, now: datetime) -> bool:
        """True if it no longer makes sense: work lay still for too long."""
        return now >= self.due(anchor_at) + self.lasts


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue.

    `about`: what settings call it. `when`: what it follows. `to`: whose settings show it. `key`: the names in the
    event's payload that tell two of this kind apart; one event is written for them, whoever writes it and how often;
    without any, each event is its own. `timed`: comes by time alone. `optional`: a person may turn it off.
    `secret`: it carries a link that lets its reader in, so the rendered text is wiped as soon as it was sent.
    """

    name: str
    about: str
    when: str
    to: frozenset[Role]
    key: tuple[str, ...] = ()
    timed: Timed | None = None
    optional: bool = True
    secret: bool = False
    channels: tuple[Channel, ...] = ALL_CHANNELS
