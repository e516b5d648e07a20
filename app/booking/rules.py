"""The rules of booking, moving, canceling and marking. Pure: `now` is business time, an argument.

Instants here are epoch seconds in UTC, as in the slot engine. Source: domain, "Booking".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.booking import slots
from app.booking.models import SessionStatus
from app.booking.refusals import NOT_CANCELED, NOT_MARKED, NOT_MOVED, NOT_PROPOSED, Refusal, refusal
from app.booking.situation import PackView, Situation
from app.booking.slots import Span
from app.packs.models import PackStatus, SeatStatus

HOUR: Final = 3600
FREE_CHANGE_SECONDS: Final = 24 * HOUR
"""Until this long before the start a student moves or cancels without losing the session."""
LEAVE_DAYS: Final = 14
"""A mentor's cancellation leaves the pack at least this long."""
OVERDUE_HOURS: Final = 48
"""This long after its end an unmarked session is completed by the system."""
DISPUTE_SECONDS: Final = 48 * HOUR
"""Until this long after it was marked a student may dispute how."""

SLOT_REASONS: Final = {
    "no_hours": "This instructor has no hours set yet.",
    "away": "The instructor is away then.",
    "outside_hours": "It lies outside the instructor’s hours.",
    "too_soon": "It starts too soon.",
    "too_far": "It lies too far ahead.",
    "past_pack_end": "It starts after your pack ends.",
    "booked": "Somebody has booked it.",
    "busy": "The instructor is busy then.",
    "buffer": "The instructor needs the time around another appointment.",
    "own_session": "You have a session then.",
    "not_a_slot": "No session starts at that time.",
}
_CODES: Final = {
    "past_pack_end": "pack_expired",
    "booked": "slot_taken",
    "busy": "slot_taken",
    "buffer": "slot_taken",
    "own_session": "own_session",
}


def usable(packs: Sequence[PackView], now: int) -> list[PackView]:
    """Packs that can pay for some session: active, not frozen, not past their end, with credit."""
    return [
        pack
        for pack in packs
        if pack.status == PackStatus.ACTIVE and not pack.frozen and pack.expires_at > now and pack.credit > 0
    ]


def paying(packs: Sequence[PackView], now: int, start: int) -> PackView | None:
    """The pack a session at `start` is spent from: of those valid then, the one that expires first."""
    valid = [pack for pack in usable(packs, now) if pack.expires_at > start]
    return min(valid, key=lambda pack: (pack.expires_at, pack.id), default=None)


def valid_until(packs: Sequence[PackView], now: int) -> int | None:
    """From when on no pack pays any more; None if none pays at all (then the offer is only looked at)."""
    return max((pack.expires_at for pack in usable(packs, now)), default=None)


def standing(situation: Situation, now: int, unchanged: str) -> Refusal | None:
    """Why this student can't book with this mentor at any time, or None."""
    if situation.mentor.calendar == "revoked":
        return refusal("calendar_revoked", unchanged)
    if not usable(situation.packs, now):
        return _no_pack(situation.packs, now, unchanged)
    if situation.seat is None or situation.seat.status != SeatStatus.ACTIVE:
        return refusal("seat_not_active", unchanged)
    return None


def refusal_at(
    situation: Situation, now: int, start: int, unchanged: str, live: Sequence[Span] = ()
) -> Refusal | None:
    """Why a session can't start at `start`, or None: the standing first, then the slot.

    `live`: windows that Google reported just now; they may only take the slot away.
    """
    found = standing(situation, now, unchanged)
    if found is not None:
        return found
    snapshot = situation.snapshot(valid_until(situation.packs, now), live)
    reason = slots.check(situation.mentor.rules, snapshot, now, start)
    if reason is None:
        return None
    code = _CODES.get(reason, "slot_not_offered")
    why = SLOT_REASONS[reason] if code == "slot_not_offered" else ""
    return refusal(code, unchanged, why=why, reason=reason)


def _no_pack(packs: Sequence[PackView], now: int, unchanged: str) -> Refusal:
    """Which of the packs came closest, in words."""
    live = [pack for pack in packs if pack.status in (PackStatus.ACTIVE, PackStatus.DEPLETED)]
    if any(pack.frozen for pack in live):
        return refusal(
            "pack_not_active", unchanged, title="Your pack is on hold", why="A payment is being looked into."
        )
    if any(pack.expires_at > now for pack in live):
        return refusal("no_credit", unchanged)
    if live or any(pack.status == PackStatus.EXPIRED for pack in packs):
        return refusal("pack_expired", unchanged, title="Your pack has ended", why="Its time is over.")
    return refusal("pack_not_active", unchanged)


def refusal_to_move(status: SessionStatus, start: int, now: int, *, proposed: bool = False) -> Refusal | None:
    """Why a student can't move this session to any other time, or None.

    `proposed`: its mentor asks for another time. The 24 hours protect the mentor: they don't bind then, whichever
    time the student picks.
    """
    if status is not SessionStatus.SCHEDULED:
        return refusal("not_scheduled", NOT_MOVED)
    if now >= start:
        return refusal("already_started", NOT_MOVED)
    if start - now < FREE_CHANGE_SECONDS and not proposed:
        return refusal("too_late", NOT_MOVED)
    return None


def refusal_to_propose(status: SessionStatus, start: int, now: int) -> Refusal | None:
    """Why its mentor can't propose another time for this session, or None."""
    if status is not SessionStatus.SCHEDULED:
        return refusal("not_scheduled", NOT_PROPOSED)
    if now >= start:
        return refusal("already_started", NOT_PROPOSED)
    return None


def refusal_to_cancel(status: SessionStatus, start: int, now: int) -> Refusal | None:
    """Why nobody can cancel this session, or None."""
    if status is not SessionStatus.SCHEDULED:
        return refusal("not_scheduled", NOT_CANCELED)
    if now >= start:
        return refusal("already_started", NOT_CANCELED)
    return None


def uses_credit(by_student: bool, start: int, now: int) -> bool:
    """True if a cancellation now costs the session: a student's, later than 24 hours before."""
    return by_student and start - now < FREE_CHANGE_SECONDS


@dataclass(frozen=True)
class Mark:
    """What a change of status does to the ledger: entries to reverse first, then one to write."""

    reverse: bool
    spend: bool


def disputable_until(status: SessionStatus, marked_at: int | None) -> int | None:
    """Until when, that instant included, its student may dispute how a session is marked; None for one that isn't."""
    if marked_at is None or status not in (SessionStatus.COMPLETED, SessionStatus.NO_SHOW):
        return None
    return marked_at + DISPUTE_SECONDS


def mark(current: SessionStatus, wanted: SessionStatus, start: int, now: int) -> Mark | Refusal:
    """What a mentor's mark does, or why it can't be set; canceling has its own rule.

    `completed` and `no_show` only after the start, and either can become the other; `scheduled` undoes, a canceled
    session only before its start.
    """
    held = current in (SessionStatus.COMPLETED, SessionStatus.NO_SHOW)
    if wanted is SessionStatus.SCHEDULED:
        if current is SessionStatus.CANCELED and now >= start:
            return refusal("cannot_undo", NOT_MARKED, why="The session would have started by now.")
        return Mark(reverse=True, spend=False)
    if current is SessionStatus.CANCELED:
        return refusal("not_scheduled", NOT_MARKED)
    if now < start:
        return refusal("not_started", NOT_MARKED)
    return Mark(reverse=held, spend=True)
