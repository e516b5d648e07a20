"""Seats and accounts: grace, release, offers, waiting, getting started."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.soak.life.expected import DAY, GRACE, HOUR, Expected, Step, Timed, as_of, told
from tests.soak.life.facts import Facts
from tests.soak.life.history import History

WARNING = Timed("grace_warning", -12 * HOUR, 12 * HOUR)
GETTING_STARTED = (
    Timed("getting_started_day", DAY, DAY),
    Timed("getting_started_two_days", 2 * DAY, 5 * DAY),
)


def expected_seats(history: History, facts: Facts) -> Iterator[Expected]:
    """Everything about seats, waiting and accounts."""
    turns: dict[UUID, list[Any]] = defaultdict(list)
    for entry in facts.seat_entries:
        turns[entry.seat_id].append(entry)
    taken = {(event.seat_id, event.at) for event in history.of("seat taken")}
    for entries in turns.values():
        yield from _of_seat(entries, taken)
    yield from _by_hand(history, facts)
    yield from _waiting(history, facts)
    yield from _newcomers(history)


def _of_seat(entries: list[Any], taken: set[tuple[UUID, datetime]]) -> Iterator[Expected]:
    steps = [Step(entry.at, entry.status) for entry in entries]
    both = (entries[0].student_id, entries[0].mentor_id)
    seat = (entries[0].seat_id,)
    for number, entry in enumerate(entries):
        before = entries[number - 1] if number else None
        if entry.status == "grace":
            holds = _still(steps, number)
            yield from told("final_renewal_notice", both, seat, entry.at, holds)
            yield from WARNING.of(entry.at, entry.at + GRACE, both[:1], seat, holds)
        elif entry.status == "offered" and not (before and before.status == "held"):
            yield from told("seat_offered", both[:1], seat, entry.at, _still(steps, number))
        elif entry.status == "released" and _had_its_grace(before, entry) and not _was_taken(entry, taken):
            yield from told("seat_released", both, seat, entry.at)


def _had_its_grace(before: Any, entry: Any) -> bool:
    return bool(before) and before.status == "grace" and entry.at >= before.at + GRACE


def _still(steps: list[Step], number: int) -> Callable[[datetime], bool]:
    later = [step.at for step in steps[number + 1 :]]
    return lambda at: not any(one <= at for one in later)


def _was_taken(entry: Any, taken: set[tuple[UUID, datetime]]) -> bool:
    return any(seat_id == entry.seat_id and abs(at - entry.at) < HOUR / 60 for seat_id, at in taken)


def _by_hand(history: History, facts: Facts) -> Iterator[Expected]:
    seats = {row.id: row for row in facts.seats}
    for event in history.of("seat taken"):
        row = seats[event.seat_id]
        yield from told("seat_taken", (row.student_id, row.mentor_id), (row.id,), event.at)
    for event in history.of("seat granted"):
        yield from told("seat_granted", (event.student_id, event.mentor_id), (event.seat_id,), event.at)


def _waiting(history: History, facts: Facts) -> Iterator[Expected]:
    for event in history.of("removed"):
        yield from told("waitlist_removed", (event.student_id,), (event.entry_id,), event.at)
    for place in facts.waitlist:
        if place.outcome == "lapsed":
            seat = next(
                entry.seat_id
                for entry in facts.seat_entries
                if (entry.mentor_id, entry.student_id) == (place.mentor_id, place.student_id)
                and entry.status == "released"
                and abs(entry.at - place.left_at) < HOUR / 60
            )
            yield from told("offer_lapsed", (place.student_id,), (seat,), place.left_at)


def _newcomers(history: History) -> Iterator[Expected]:
    for event in history.of("sign up"):
        yield from told("verify_email", (event.user_id,), (), event.at, _works(event.at))
    for event in history.of("account"):
        aside = [Step(one.at, True) for one in history.of("put aside") if one.user_id == event.user_id]
        for reminder in GETTING_STARTED:
            yield from reminder.of(event.at, event.at, (event.user_id,), (), _not_put_aside(aside))


def _works(sent_at: datetime) -> Callable[[datetime], bool]:
    """A link in a mail lets its reader in for a day."""
    return lambda at: at < sent_at + DAY


def _not_put_aside(aside: list[Step]) -> Callable[[datetime], bool]:
    return lambda at: not as_of(aside, at)
