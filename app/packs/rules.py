"""Which seat a student keeps after the ledger changed: one decision over all packs of a (mentor, student) pair. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.packs.models import PackStatus, SeatStatus, SessionPack

GRACE = timedelta(hours=72)
DAYS_AFTER_DISPUTE = 14
"""Nobody could book while the payment was disputed: a pack whose dispute is won has so many days at least."""


@dataclass(frozen=True, slots=True)
class PackState:
    """What the decision needs of one pack."""

    status: PackStatus
    remaining: int
    scheduled: int
    purchased_at: datetime


@dataclass(frozen=True, slots=True)
class SeatDecision:
    """The seat's next status, and until when where that status ends by itself."""

    status: SeatStatus
    expires_at: datetime | None = None


def seat_after(
    packs: Sequence[PackState], current: SeatDecision, now: datetime, grace: timedelta = GRACE
) -> SeatDecision:
    """The seat after a ledger change (domain: "Seat after every ledger change").

    Credit left or a session still scheduled: active. Otherwise the pack bought last decides: used up means
    `grace`, which a later call doesn't prolong; expired or refunded means released. Seats that are only offered or held
    are not touched: their checkout decides.
    """
    if current.status in (SeatStatus.OFFERED, SeatStatus.HELD, SeatStatus.RELEASED) or not packs:
        return current
    if any(pack.status is PackStatus.ACTIVE and pack.remaining > 0 for pack in packs):
        return SeatDecision(SeatStatus.ACTIVE)
    if any(pack.scheduled for pack in packs):
        return SeatDecision(SeatStatus.ACTIVE)
    last = max(packs, key=lambda pack: pack.purchased_at)
    if last.status in (PackStatus.EXPIRED, PackStatus.REFUNDED):
        return SeatDecision(SeatStatus.RELEASED)
    if current.status is SeatStatus.GRACE:
        return current
    return SeatDecision(SeatStatus.GRACE, now + grace)


def has_expired(pack: SessionPack, now: datetime) -> bool:
    """True if what is left of the pack goes: its time is over, and nothing of it is booked.

    A frozen pack stands still: whoever decides about the dispute decides about its sessions, too.
    """
    over = pack.expires_at <= now and pack.scheduled_sessions == 0 and not pack.frozen
    return over and pack.status is PackStatus.ACTIVE and pack.remaining_sessions > 0
