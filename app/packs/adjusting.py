"""Adjusting by hand: an admin adds sessions to a pack, removes some, or moves its expiry; student and mentor are told.

Each function works in the caller's transaction, locks in the one order (mentor, seat, packs by id) and changes nothing
where the page that asked had seen something else than there is.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from app.core import audit, clock
from app.core.errors import Invalid, NotFound, Refused
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.core.zones import end_of_day
from app.notifications import telling
from app.packs import expiry, repository, seats
from app.packs import service as packs
from app.packs.models import EntryKind, PackStatus, SessionPack

MOST: Final = 100
"""Sessions in one adjustment: a slip of the finger adds no thousand."""
LARGEST: Final = 1000
"""Sessions of a pack, all adjustments included."""
REASON_LENGTH: Final = 300
LATEST_DAYS: Final = 5 * 366
NOBODY: Final = "One of the two has no account any more, or another role by now. Nothing was changed."
_STALE: Final = "Nothing was changed; look at it again."


async def add_sessions_to_pack(
    uow: UnitOfWork, pack_id: UUID, count: int, *, reason: str, seen: int
) -> SessionPack:
    """Add `count` sessions to what a pack holds and to what is left of it; neither expiry nor money change.

    A pack that was used up can be spent again; a seat in grace is active again, one that is gone is taken anew. `seen`:
    the sessions left that the admin saw. Returns the pack as it is now. Raises NotFound, Invalid (`sessions`,
    `reason`), Refused: `pack_changed`, `pack_ended`, `nobody_there`, `sold_out`.
    """
    return await _adjust(uow, pack_id, _checked(count), reason, seen)


async def remove_sessions_from_pack(
    uow: UnitOfWork, pack_id: UUID, count: int, *, reason: str, seen: int
) -> SessionPack:
    """Take `count` sessions away again, never one that is used or booked: Refused `sessions_in_use`. Else as adding."""
    return await _adjust(uow, pack_id, -_checked(count), reason, seen)


async def change_expiry(
    uow: UnitOfWork, pack_id: UUID, last_day: date, zone: str, *, reason: str, seen: datetime
) -> SessionPack:
    """Let a pack be used until the end of `last_day` in `zone` (IANA); what had expired can be used again.

    `seen`: the expiry that the admin saw. Returns the pack as it is now. Raises NotFound, Invalid (`expires_on`,
    `reason`), Refused: `pack_changed`, `pack_ended` (a refunded one), `sessions_beyond` where one is booked for later,
    `nobody_there`, `sold_out`.
    """
    words, expires_at = reason_of(reason), _checked_end(last_day, zone)
    pack = await _locked(uow, pack_id)
    if pack.expires_at != seen:
        raise Refused("pack_changed", f"Its expiry was changed meanwhile. {_STALE}")
    if pack.status is PackStatus.REFUNDED:
        raise Refused("pack_ended", "This pack was refunded: nothing of it can be used any more.", status=422)
    if await repository.booked_from(uow.session, pack_id, expires_at):
        raise Refused("sessions_beyond", "A session of this pack is booked for later than that.", status=422)
    if expires_at == seen:
        return pack
    had_expired = pack.status is PackStatus.EXPIRED
    await repository.change_pack(uow.session, pack_id, {"expires_at": expires_at, "status": _revived(pack)})
    if had_expired:
        await packs.unexpire(uow, pack_id)
    await expiry.watch(uow, pack_id, expires_at)
    after = await _seated(uow, pack)
    before, changed = {"expires_at": iso(seen)}, {"expires_at": iso(expires_at)}
    await audit.record(uow, "change_expiry", "session_packs", pack_id, before, changed | {"reason": words})
    await telling.tell(uow, "pack_adjusted", {"pack_id": pack_id, "before": iso(seen), **changed})
    return after


def reason_of(text: str) -> str:
    """The reason in one line. Raises Invalid (`reason`)."""
    words = " ".join(text.split())
    if not words or len(words) > REASON_LENGTH:
        raise Invalid({"reason": f"Say why, in at most {REASON_LENGTH} characters."})
    if not words.isprintable():
        raise Invalid({"reason": "There is a character in it that can’t be kept."})
    return words


async def demand_both(uow: UnitOfWork, mentor_id: UUID, student_id: UUID) -> None:
    """Raise Refused("nobody_there") where nobody could give sessions, or take them."""
    if not await repository.are_both_there(uow.session, mentor_id, student_id):
        raise Refused("nobody_there", NOBODY)


async def _adjust(uow: UnitOfWork, pack_id: UUID, delta: int, reason: str, seen: int) -> SessionPack:
    words = reason_of(reason)
    pack = await _locked(uow, pack_id)
    if pack.remaining_sessions != seen:
        raise Refused("pack_changed", f"{_left(pack.remaining_sessions)} by now, not {seen}. {_STALE}")
    _demand_room(pack, delta)
    before = {"total_sessions": pack.total_sessions, "remaining_sessions": pack.remaining_sessions}
    await repository.change_pack(uow.session, pack_id, {"total_sessions": pack.total_sessions + delta})
    entry_id = await packs.add_entry(uow, pack_id, EntryKind.ADJUST, delta, reason=words)
    pack = await _seated(uow, pack)
    after = {"total_sessions": pack.total_sessions, "remaining_sessions": pack.remaining_sessions}
    await audit.record(uow, "adjust_sessions", "session_packs", pack_id, before, after)
    await telling.tell(uow, "pack_adjusted", {"pack_id": pack_id, "entry_id": entry_id})
    return pack


def _checked(count: int) -> int:
    if not 1 <= count <= MOST:
        raise Invalid({"sessions": f"From 1 to {MOST} sessions at a time."})
    return count


def _checked_end(last_day: date, zone: str) -> datetime:
    now = clock.now()
    if (last_day - now.date()).days > LATEST_DAYS:
        raise Invalid({"expires_on": "That is more than five years ahead."})
    expires_at = end_of_day(last_day, zone)
    if expires_at <= now:
        raise Invalid({"expires_on": "That day is over. Choose today or a later one."})
    return expires_at


def _demand_room(pack: SessionPack, delta: int) -> None:
    """The pack can be added to, or has as many sessions that are neither used nor booked.

    What is added to a pack whose time is over expires at once, and the seat that a used up pack left in grace with it.
    """
    is_over = delta > 0 and pack.expires_at <= clock.now()
    if is_over or pack.status in (PackStatus.REFUNDED, PackStatus.EXPIRED):
        what = "was refunded" if pack.status is PackStatus.REFUNDED else "has expired: move its expiry first"
        raise Refused("pack_ended", f"This pack {what}. Nothing was changed.", status=422)
    free = pack.remaining_sessions - pack.scheduled_sessions
    if free + delta < 0:
        booked = pack.scheduled_sessions
        also = f", {booked} of them booked" if booked else ""
        said = f"{_left(pack.remaining_sessions)}{also}: {free or 'none'} can be taken away. Nothing was changed."
        raise Refused("sessions_in_use", said, status=422)
    if pack.total_sessions + delta > LARGEST:
        raise Invalid({"sessions": f"A pack holds at most {LARGEST} sessions."})


def _left(count: int) -> str:
    return f"{count} {'session is' if count == 1 else 'sessions are'} left"


def _revived(pack: SessionPack) -> PackStatus:
    return PackStatus.ACTIVE if pack.remaining_sessions else PackStatus.DEPLETED


async def _locked(uow: UnitOfWork, pack_id: UUID) -> SessionPack:
    """The pack with its mentor, seat and sibling packs locked: a seat may be needed. Raises NotFound, Refused."""
    found = await repository.pack_by_id(uow.session, pack_id)
    if found is None:
        raise NotFound
    await seats.lock_mentor(uow, found.mentor_id)
    pair = await seats.lock_pair(uow, found.mentor_id, found.student_id)
    await demand_both(uow, found.mentor_id, found.student_id)
    return next(pack for pack in pair.packs if pack.id == pack_id)


async def _seated(uow: UnitOfWork, pack: SessionPack) -> SessionPack:
    """The pack as it is now, with the seat that its sessions need. Raises Refused("sold_out")."""
    pair = await seats.lock_pair(uow, pack.mentor_id, pack.student_id)
    now = next(one for one in pair.packs if one.id == pack.id)
    if now.status is PackStatus.ACTIVE and now.remaining_sessions and now.expires_at > clock.now():
        await seats.take(uow, pack.mentor_id, pack.student_id)
    await seats.settle(uow, pack.mentor_id, pack.student_id)
    return now
