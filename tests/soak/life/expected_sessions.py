"""Sessions: who is told of them, and reminded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.soak.life.expected import DAY, HOUR, Expected, Timed, told
from tests.soak.life.facts import Facts
from tests.soak.life.history import History

REMINDERS = (Timed("session_reminder_day", -DAY, 23 * HOUR), Timed("session_reminder_hour", -HOUR, HOUR))
SETS_START = ("book", "move", "undo")


@dataclass(frozen=True)
class Turn:
    """What became of a session at `at`; `start` from then on."""

    at: datetime
    what: str
    start: datetime
    before: str = ""


def expected_sessions(history: History, facts: Facts) -> Iterator[Expected]:
    """Everything about sessions."""
    people = {row.id: (row.student_id, row.mentor_id) for row in facts.sessions}
    for session_id, turns in lives(history, facts).items():
        for number, turn in enumerate(turns):
            yield from _of_turn(session_id, turn, *people[session_id])
            if turn.what in SETS_START:
                holds = _still(turns, number)
                for reminder in REMINDERS:
                    yield from reminder.of(turn.at, turn.start, people[session_id], (session_id,), holds)


def lives(history: History, facts: Facts) -> dict[UUID, list[Turn]]:
    """What became of each session, in its order: by people, and by the system after 48 hours (the ledger says so)."""
    found: dict[UUID, list[Turn]] = defaultdict(list)
    starts: dict[UUID, datetime] = {}
    events: list[tuple[datetime, Any]] = [
        (event.at, event) for event in history.of("book", "move", "cancel", "mark")
    ]
    events += [(row.at, row) for row in facts.ledger if row.kind == "complete" and row.actor_id is None]
    for at, event in sorted(events, key=lambda pair: pair[0]):
        if hasattr(event, "facts"):
            starts[event.session_id] = event.start
            what = (
                event.what
                if event.what != "mark"
                else "undo"
                if event.status == "scheduled"
                else event.status
            )
            before = event.facts.get("before", "")
        else:
            what, before = "auto", ""
        found[event.session_id].append(Turn(at, what, starts[event.session_id], before))
    return found


def _still(turns: list[Turn], number: int) -> Callable[[datetime], bool]:
    """Whether nothing became of the session since: not moved, not canceled, not held, not even undone again."""
    later = [turn.at for turn in turns[number + 1 :]]
    return lambda at: not any(turn <= at for turn in later)


def _of_turn(session_id: UUID, turn: Turn, student: UUID, mentor: UUID) -> Iterator[Expected]:
    both, subject = (student, mentor), (session_id,)
    if turn.what == "book" or (turn.what == "undo" and turn.before == "canceled"):
        yield from told("session_booked", both, subject, turn.at)
    elif turn.what == "move":
        yield from told("session_moved", both, subject, turn.at)
    elif turn.what == "cancel":
        yield from told("session_canceled", both, subject, turn.at)
    elif turn.what == "auto":
        yield from told("session_auto_completed", both, subject, turn.at)
    elif turn.what == "completed":
        yield from told("session_completed", (student,), subject, turn.at)
    elif turn.what == "no_show":
        yield from told("session_no_show", (student,), subject, turn.at)
