"""What an absence does to the sessions on its days: where each could move, and what its mentor chose. Pure.

Times come from the one slot engine, asked as each session's student would ask once the absence holds: what is planned
can be booked. No two proposals of a plan are in each other's way. Instants are epoch seconds in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec

from app.absences.rules import Days, usual_times, wall_distance
from app.booking import dates
from app.booking import rules as booking
from app.booking.proposals_times import seen_by_student
from app.booking.situation import OwnSession, PackView, SeatView, Situation
from app.booking.slots import Rules, Slot, Span, blocked_range, offered
from app.booking.zones import DAY

NEARBY_DAYS: Final = 7
"""Besides the usual times one time on each of so many days is there to choose from."""

Choice: TypeAlias = int | Literal["keep", "cancel"]
"""The start to propose, or leave the session where it is, or cancel it."""


class Concerned(msgspec.Struct, frozen=True):
    """A scheduled session on a day of the absence."""

    session: OwnSession
    student_id: UUID
    student_name: str
    student_zone: str
    proposed: int | None = None
    """What is proposed for it already."""


@dataclass(frozen=True)
class Ground:
    """What a plan stands on, read at one moment.

    `mentor`: the situation up to the mentor's horizon, asked by nobody in particular. `packs`: each student's packs that
    are spendable. `taken`: when each student has a session, with whomever. `promised`: what the times would block that are
    proposed already, by session. `given`: the days of absences that were taken back after they had made packs longer, and
    when they did.
    """

    mentor: Situation
    sessions: Sequence[Concerned]
    packs: Mapping[UUID, Sequence[PackView]]
    seats: Mapping[UUID, SeatView]
    taken: Mapping[UUID, Sequence[Span]]
    promised: Mapping[UUID, Span]
    given: Sequence[tuple[Days, int]]
    now: int


@dataclass(frozen=True)
class Planned:
    """A session with the times to choose from, sorted, the one that is meant for it, and what was chosen.

    `gone`: a time that was chosen and can't be had any more.
    """

    concerned: Concerned
    options: list[int]
    suggestion: int | None
    choice: Choice
    gone: int | None = None


@dataclass(frozen=True)
class Wish:
    """The days, and whether packs are extended by them."""

    days: Days
    extend: bool


def losing_days(ground: Ground, wish: Wish) -> dict[UUID, int]:
    """The packs that lose days by an absence: those that could be spent after its beginning. How many it owes to each:
    not again what the pack was given for an absence that was taken back."""
    begins = (wish.days.span(ground.mentor.mentor.time_zone) or (0, 0))[0]
    every = [pack for packs in ground.packs.values() for pack in packs]
    return {pack.id: _owed(ground, wish, pack) for pack in every if pack.expires_at > begins}


def _owed(ground: Ground, wish: Wish, pack: PackView) -> int:
    days = set(wish.days.ordinals)
    for given, at in ground.given:
        if pack.purchased_at <= at:
            days.difference_update(given.ordinals)
    return len(days)


def plan(ground: Ground, wish: Wish, choices: Mapping[UUID, Choice] | None = None) -> list[Planned]:
    """Every session concerned, by start. Without `choices` each has its suggestion, or stays where none is found."""
    return _Planner(ground, wish, choices).plan()


class _Planner:
    def __init__(self, ground: Ground, wish: Wish, choices: Mapping[UUID, Choice] | None) -> None:
        self._ground, self._wish, self._choices = ground, wish, choices
        self._promised = dict(ground.promised)
        self._taken = {id_: list(spans) for id_, spans in ground.taken.items()}
        self._longer = losing_days(ground, wish) if wish.extend else {}
        self._packs = {id_: self._prolonged(packs) for id_, packs in ground.packs.items()}

    @cached_property
    def _zone(self) -> str:
        return self._ground.mentor.mentor.time_zone

    @cached_property
    def _rules(self) -> Rules:
        return self._away.mentor.rules

    @cached_property
    def _away(self) -> Situation:
        """The mentor's situation once the absence holds."""
        mentor = self._ground.mentor.mentor
        days = (self._wish.days.first, self._wish.days.last)
        away = msgspec.structs.replace(mentor, away=[*mentor.away, days])
        return msgspec.structs.replace(self._ground.mentor, mentor=away)

    @cached_property
    def _span(self) -> Span:
        """When the absence begins and ends."""
        return self._wish.days.span(self._zone) or (0, 0)

    def _prolonged(self, packs: Sequence[PackView]) -> list[PackView]:
        return [
            msgspec.structs.replace(pack, expires_at=pack.expires_at + self._longer.get(pack.id, 0) * DAY)
            for pack in packs
        ]

    def plan(self) -> list[Planned]:
        """The sessions one after another: what the first is given the next can't have."""
        by_start = sorted(self._ground.sessions, key=lambda one: (one.session.start, one.session.id))
        return [self._planned(concerned) for concerned in by_start]

    def _planned(self, concerned: Concerned) -> Planned:
        situation = self._seen(concerned)
        slots = self._slots(situation)
        starts = {slot.start for slot in slots}
        after = [at for at in sorted(starts) if at >= self._span[1]]
        usual = usual_times(concerned.session.start, self._zone, self._wish.days.last)
        fitting = [at for at in (concerned.proposed, *usual) if at in starts]
        suggestion = next(iter([*fitting, *after]), None)
        choice: Choice = "keep" if suggestion is None else suggestion
        if self._choices is not None:
            choice = self._choices.get(concerned.session.id, choice)
        gone = None
        if isinstance(choice, int) and choice not in starts:
            gone, choice = choice, "keep" if suggestion is None else suggestion
        options = {at for at in fitting if at is not None} | set(self._nearby(concerned, after))
        if isinstance(choice, int):
            options.add(choice)
            self._take(concerned, situation, choice)
        if suggestion is not None:
            options.add(suggestion)
        return Planned(concerned, sorted(options), suggestion, choice, gone)

    def _seen(self, concerned: Concerned) -> Situation:
        student = concerned.student_id
        others = [span for id_, span in self._promised.items() if id_ != concerned.session.id]
        found = msgspec.structs.replace(
            self._away,
            blocked=[*self._away.blocked, *others],
            own=[concerned.session],
            packs=self._packs.get(student, []),
            seat=self._ground.seats.get(student),
        )
        return seen_by_student(found, concerned.session.id, self._taken.get(student, []))

    def _slots(self, situation: Situation) -> list[Slot]:
        now = self._ground.now
        if booking.standing(situation, now, unchanged="") is not None:
            return []
        snapshot = situation.snapshot(booking.valid_until(situation.packs, now))
        return offered(self._rules, snapshot, now, now, now + self._rules.horizon_days * DAY)

    def _nearby(self, concerned: Concerned, starts: Sequence[int]) -> list[int]:
        """On each of the first days with free times the one that is nearest to the usual time of the day."""
        days: dict[dt.date, list[int]] = {}
        for at in starts:
            day = dates.date_of(at, self._zone).to_stdlib()
            if day not in days and len(days) == NEARBY_DAYS:
                break
            days.setdefault(day, []).append(at)
        usual = concerned.session.start
        return [min(found, key=lambda at: wall_distance(usual, at, self._zone)) for found in days.values()]

    def _take(self, concerned: Concerned, situation: Situation, start: int) -> None:
        """From here on the time is promised, to this student, from the pack that would pay."""
        student, now = concerned.student_id, self._ground.now
        self._promised[concerned.session.id] = blocked_range(self._rules, start)
        self._taken.setdefault(student, []).append((start, start + self._rules.length_minutes * 60))
        pack = booking.paying(situation.packs, now, start)
        self._packs[student] = [
            _booked(one) if pack and one.id == pack.id else one for one in situation.packs
        ]


def _booked(pack: PackView) -> PackView:
    return msgspec.structs.replace(pack, scheduled=pack.scheduled + 1)
