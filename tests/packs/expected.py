"""The rules of packs, seats and what is told of them, written once more and differently: in memory, without SQL.

Every deed of the machine is told to `Expected` after it succeeded, with the time at which it was done. What falls due
lies in an agenda; `work` goes through what is due by then, as a worker would, however late it comes.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

GRACE, OFFER, HOLD = timedelta(hours=72), timedelta(hours=24), timedelta(minutes=35)
DISPUTED = timedelta(days=14)
# Before which end they come, and for how long they are of use.
WEEK = ("pack_expiring_week", timedelta(days=7), timedelta(days=6))
DAY = ("pack_expiring_day", timedelta(days=1), timedelta(days=1))
WARNING = ("grace_warning", timedelta(hours=12), timedelta(hours=12))

Told = tuple[str, str, str]


@dataclass
class Pack:
    """What one pack holds; `state` as the table has it."""

    who: str
    total: int
    ends: datetime
    bought: datetime
    left: int = 0
    booked: int = 0
    state: str = "active"
    frozen: bool = False
    lost: int = 0  # by the last expiry

    def add(self, sessions: int) -> None:
        """A line of the ledger."""
        self.left += sessions
        if self.state in ("active", "depleted"):
            self.state = "active" if self.left else "depleted"

    def is_over(self, now: datetime) -> bool:
        """True if nothing keeps what is left any more."""
        return self.state == "active" and self.ends <= now and not (self.frozen or self.booked)


@dataclass
class Seat:
    """A live seat; `held`: somebody is paying until then."""

    who: str
    state: str
    until: datetime | None = None
    held: datetime | None = None


@dataclass
class Expected:
    """One mentor's pairs by the student's name."""

    capacity: int
    seats: dict[str, Seat] = field(default_factory=dict)
    packs: dict[str, list[Pack]] = field(default_factory=dict)
    line: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    keys: set[tuple[object, ...]] = field(default_factory=set)
    _agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)

    # Time

    def due(self, until: datetime) -> datetime | None:
        """When something is to be done next, if that is by `until`."""
        return self._agenda[0][0] if self._agenda and self._agenda[0][0] <= until else None

    def work(self, now: datetime) -> None:
        """A worker does what is due, and what comes of it."""
        while self.due(now) is not None:
            heapq.heappop(self._agenda)[2](now)

    def _at(self, when: datetime, deed: Callable[[datetime], None]) -> None:
        heapq.heappush(self._agenda, (when, next(self._number), deed))

    # Deeds

    def can_buy(self, who: str) -> bool:
        """A seat of their own, or a free one."""
        return who in self.seats or len(self.seats) < self.capacity

    def buy(self, who: str, sessions: int, days: int, now: datetime) -> Pack:
        """A paid pack."""
        self._take(who, now)
        pack = Pack(who, sessions, now + timedelta(days=days), now, left=sessions)
        self.packs.setdefault(who, []).append(pack)
        self._watch(pack, now)
        return pack

    def spend(self, pack: Pack, now: datetime) -> None:
        """A booked session was held, or missed."""
        pack.booked -= 1
        self._use(pack, 1, now)
        self._settle(pack.who, now)

    def undo(self, pack: Pack, now: datetime) -> None:
        """It wasn't."""
        pack.add(1)
        pack.booked += 1
        self._settle(pack.who, now)

    def remark(self, pack: Pack, now: datetime) -> None:
        """Held instead of missed, or the other way round."""
        pack.add(1)
        self._use(pack, 1, now)
        self._settle(pack.who, now)

    def adjust(self, pack: Pack, delta: int, now: datetime) -> None:
        """An admin adds or removes sessions."""
        pack.total += delta
        if delta > 0:
            pack.add(delta)
        else:
            self._use(pack, -delta, now)
        self._seat(pack, now)

    def move_expiry(self, pack: Pack, ends: datetime, now: datetime) -> None:
        """An admin lets a pack end at another time; what had expired is back."""
        had_expired = pack.state == "expired"
        pack.ends, pack.state = ends, "active" if pack.left else "depleted"
        if had_expired:
            pack.add(pack.lost)
        self._watch(pack, now)
        self._seat(pack, now)

    def leave(self, pack: Pack, span: timedelta, now: datetime) -> None:
        """The pack is good for so long at least."""
        if pack.ends < now + span:
            pack.ends = now + span
            self._watch(pack, now)

    def freeze(self, pack: Pack, frozen: bool, now: datetime) -> None:
        """A dispute begins, or is won."""
        thaws, pack.frozen = pack.frozen and not frozen, frozen
        if thaws and pack.state == "active":
            self.leave(pack, DISPUTED, now)

    def refund(self, pack: Pack, now: datetime) -> None:
        """The money goes back, by an admin or a lost dispute."""
        pack.left = pack.booked = 0
        pack.state, pack.frozen = "refunded", False
        self._settle(pack.who, now)

    def can_hold(self, who: str, now: datetime) -> bool:
        """A grace that is over, though nobody has noticed yet, is the next one's."""
        seat = self.seats[who]
        ends = [end for end in (seat.until, seat.held) if end is not None]
        is_over = seat.state == "grace" and max(ends) <= now
        return not is_over or self.capacity - len(self.seats) - len(self.line) >= 0

    def hold(self, who: str, now: datetime) -> None:
        """Who has a seat is at the checkout."""
        seat = self.seats[who]
        is_over = seat.state == "grace" and seat.until is not None and now >= seat.until
        if is_over and seat.held is not None and seat.held > now:
            return  # a hold outlives the grace once
        seat.held = now + HOLD
        if seat.state == "grace":
            self._at(seat.held, lambda then: self._end(seat, then))

    def give_back(self, who: str, now: datetime) -> None:
        """They didn't pay."""
        seat = self.seats[who]
        if seat.held is None:
            return
        seat.held = None
        if seat.state == "grace" and seat.until is not None:
            self._at(seat.until, lambda then: self._end(seat, then))
        else:
            self._look(who, now)

    def join(self, who: str, now: datetime) -> None:
        """Somebody waits."""
        self.line.append(who)
        self._at(now, self._offer)

    # Rules

    def spendable(self, who: str, now: datetime) -> int:
        """What can be used of all packs."""
        return sum(one.left for one in self.packs.get(who, []) if one.state == "active" and one.ends > now)

    def _is_last(self, who: str, now: datetime) -> bool:
        return self.spendable(who, now) == 1 < sum(one.total for one in self.packs[who])

    def _use(self, pack: Pack, sessions: int, now: datetime) -> None:
        pack.add(-sessions)
        if self._is_last(pack.who, now):
            key = ("renewal_reminder", pack.who, sum(one.total for one in self.packs[pack.who]))
            self._once(key, now, lambda then: self._remind(pack.who, key, then))

    def _remind(self, who: str, key: tuple[object, ...], now: datetime) -> None:
        holds = who in self.seats and self._is_last(who, now)
        if not holds:
            self.keys.discard(key)
        self.told.append(("renewal_reminder", who, "told" if holds else "outdated"))

    def _settle(self, who: str, now: datetime) -> None:
        self._look(who, now)
        seat = self.seats.get(who)
        if seat is None or seat.state in ("offered", "held"):
            return
        packs = self.packs[who]
        if any(one.state == "active" or one.booked for one in packs):
            if seat.state == "grace":
                seat.state, seat.until, seat.held = "active", None, None
        elif max(packs, key=lambda one: one.bought).state in ("expired", "refunded"):
            self._release(seat, now)
        elif seat.state == "active":
            self._keep(seat, now)

    def _keep(self, seat: Seat, now: datetime) -> None:
        until = now + GRACE
        seat.state, seat.until, seat.held = "grace", until, None

        def holds() -> bool:
            return self.seats.get(seat.who) is seat and (seat.state, seat.until) == ("grace", until)

        self._at(until, lambda then: self._end(seat, then))
        self._note(("final_renewal_notice", id(seat), until), now, (seat.who, "mentor"), holds)
        self._before(WARNING, until, id(seat), now, (seat.who,), holds)

    def _take(self, who: str, now: datetime) -> None:
        seat = self.seats.setdefault(who, Seat(who, "active"))
        was_held, seat.held = seat.held, None
        if seat.state != "active":
            seat.state, seat.until = "active", None
        elif was_held is not None:
            self._look(who, now)
        self.line = [one for one in self.line if one != who]

    def _seat(self, pack: Pack, now: datetime) -> None:
        if pack.state == "active" and pack.ends > now:
            self._take(pack.who, now)
        self._settle(pack.who, now)

    def _release(self, seat: Seat, now: datetime) -> None:
        del self.seats[seat.who]
        self._at(now, self._offer)

    def _offer(self, now: datetime) -> None:
        self.line = [one for one in self.line if one not in self.seats]
        while self.line and len(self.seats) < self.capacity:
            who = self.line.pop(0)
            seat = self.seats[who] = Seat(who, "offered", now + OFFER)
            self._at(now + OFFER, lambda then, seat=seat: self._end(seat, then))  # type: ignore[misc]
            self._at(now, lambda then, seat=seat: self._tell_offer(seat))  # type: ignore[misc]

    def _tell_offer(self, seat: Seat) -> None:
        if self.seats.get(seat.who) is seat and seat.state == "offered":
            self.told.append(("seat_offered", seat.who, "told"))

    def _end(self, seat: Seat, now: datetime) -> None:
        """An offer or a grace is over, unless it was made longer or used."""
        if self.seats.get(seat.who) is not seat or seat.state not in ("offered", "grace"):
            return
        if max(end for end in (seat.until, seat.held) if end is not None) > now:
            return
        self._release(seat, now)
        if seat.state == "offered":
            self._note(("offer_lapsed", id(seat)), now, (seat.who,))
        else:
            self._note(("seat_released", id(seat)), now, (seat.who, "mentor"))

    def _watch(self, pack: Pack, now: datetime) -> None:
        ends = pack.ends

        def holds() -> bool:
            return (pack.ends, pack.state, pack.frozen) == (ends, "active", False) and pack.left > 0

        for kind in (WEEK, DAY):
            self._before(kind, ends, id(pack), now, (pack.who,), holds)
        self._at(ends, lambda then: self._expire(pack, then))

    def _look(self, who: str, now: datetime) -> None:
        for pack in self.packs.get(who, []):
            if pack.is_over(now):
                self._at(now, lambda then, pack=pack: self._expire(pack, then))  # type: ignore[misc]

    def _expire(self, pack: Pack, now: datetime) -> None:
        if not pack.is_over(now):
            return
        seat = self.seats.get(pack.who)
        if seat is not None and seat.held is not None and seat.held > now:
            self._at(seat.held, lambda then: self._expire(pack, then))
            return
        pack.state, pack.lost, ends = "expired", pack.left, pack.ends
        self._use(pack, pack.left, now)
        self._settle(pack.who, now)
        self._note(
            ("pack_expired", id(pack), ends),
            now,
            (pack.who, "mentor"),
            lambda: (pack.state, pack.ends) == ("expired", ends),
        )

    # Telling

    def _once(self, key: tuple[object, ...], when: datetime, deed: Callable[[datetime], None]) -> None:
        if key not in self.keys:
            self.keys.add(key)
            self._at(when, deed)

    def _note(
        self,
        key: tuple[object, ...],
        when: datetime,
        to: tuple[str, ...],
        holds: Callable[[], bool] = lambda: True,
        useful: timedelta | None = None,
    ) -> None:
        def tell(now: datetime) -> None:
            late = useful is not None and now >= when + useful
            what = "outdated" if not holds() else "late" if late else "told"
            self.told += [(str(key[0]), one, what) for one in to]

        self._once(key, when, tell)

    def _before(
        self,
        kind: tuple[str, timedelta, timedelta],
        end: datetime,
        about: int,
        now: datetime,
        to: tuple[str, ...],
        holds: Callable[[], bool],
    ) -> None:
        name, before, useful = kind
        if end - before > now:
            self._note((name, about, end), end - before, to, holds, useful)
