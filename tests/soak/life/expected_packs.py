"""Packs: who is told of what was bought, given, changed, is about to end and has ended, and when it is time to renew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from tests.soak.life.expected import DAY, Expected, Step, Timed, as_of, told
from tests.soak.life.facts import Facts
from tests.soak.life.history import History

WARNINGS = (Timed("pack_expiring_week", -7 * DAY, 6 * DAY), Timed("pack_expiring_day", -DAY, DAY))
LOOKED_AT = timedelta(
    minutes=3
)  # that a session was held is looked at a moment later, after a crash by another worker
NOTED = timedelta(seconds=60)  # an expiry is noted a moment after it was set
USES = ("complete", "no_show", "late_cancel")


def expected_packs(
    history: History, facts: Facts, reached: Callable[[datetime], datetime]
) -> Iterator[Expected]:
    """Everything about packs."""
    yield from _given_and_changed(history, facts)
    yield from _warnings(history, facts)
    credit = Credit(_left_by_pack(facts), _expiries(history))
    for lines in _by_pair(facts).values():
        yield from _renewals(lines, credit)
    yield from _testimonials(facts, reached)


def _given_and_changed(history: History, facts: Facts) -> Iterator[Expected]:
    pairs = {row.id: (row.student_id, row.mentor_id) for row in facts.packs}
    for order in facts.orders:
        yield from told("pack_purchased", (order.student_id, order.mentor_id), (order.id,), order.paid_at)
    for refund in facts.refunds:
        if refund.settled_at is not None:
            both = (refund.student_id, refund.mentor_id)
            yield from told("refund_issued", both, (refund.id,), refund.settled_at)
    for line in facts.ledger:
        both = pairs[line.pack_id]
        if line.kind == "grant":
            yield from told("pack_granted", both, (line.pack_id,), line.at)
        elif line.kind == "adjust":
            yield from told("pack_adjusted", both, (line.pack_id,), line.at)
        elif line.kind == "expire":
            yield from told("pack_expired", both, (line.pack_id,), line.at, _not_revived(line, facts))
    for event in history.of("move expiry"):
        yield from told("pack_adjusted", pairs[event.pack_id], (event.pack_id,), event.at)


def _not_revived(line: Any, facts: Facts) -> Callable[[datetime], bool]:
    later = [
        one.at
        for one in facts.ledger
        if one.pack_id == line.pack_id
        and one.kind == "reversal"
        and one.session_id is None
        and one.at > line.at
    ]
    return lambda at: not any(one <= at for one in later)


def _warnings(history: History, facts: Facts) -> Iterator[Expected]:
    """Seven days and a day before a pack expires with sessions left: the student."""
    student = {row.id: row.student_id for row in facts.packs}
    left = _left_by_pack(facts)
    seen = set()
    for pack_id, steps in _expiries(history).items():
        for step in steps:
            for warning in WARNINGS:
                holds = _ends_then(steps, left[pack_id], step.value)
                for one in warning.of(step.at, step.value, (student[pack_id],), (pack_id,), holds):
                    if (one.kind, one.subject) not in seen:  # set to the same day again: the same warning
                        seen.add((one.kind, one.subject))
                        yield one


def _expiries(history: History) -> dict[UUID, list[Step]]:
    found: dict[UUID, list[Step]] = defaultdict(list)
    for event in history.of("expiry"):
        found[event.pack_id].append(Step(event.at, event.expires_at))
    return found


def _ends_then(expiries: list[Step], left: list[Step], anchor: datetime) -> Callable[[datetime], bool]:
    return lambda at: as_of(expiries, at) == anchor and as_of(left, at, 0) > 0


def _left_by_pack(facts: Facts) -> dict[UUID, list[Step]]:
    found: dict[UUID, list[Step]] = defaultdict(list)
    for line in facts.ledger:
        steps = found[line.pack_id]
        steps.append(Step(line.at, (steps[-1].value if steps else 0) + line.delta))
    return found


def _by_pair(facts: Facts) -> dict[tuple[UUID, UUID], list[Any]]:
    found: dict[tuple[UUID, UUID], list[Any]] = defaultdict(list)
    for line in facts.ledger:
        found[line.mentor_id, line.student_id].append(line)
    return found


@dataclass(frozen=True)
class Credit:
    """What is left of packs, by time; of one past its time nothing is left that could still be used."""

    left: dict[UUID, list[Step]]
    expiries: dict[UUID, list[Step]]

    def of(self, packs: Iterable[UUID], at: datetime) -> int:
        """Of these packs together."""
        return sum(
            as_of(self.left[pack], at, 0) for pack in packs if as_of(self.expiries[pack], at + NOTED, at) > at
        )


def _renewals(lines: list[Any], credit: Credit) -> Iterator[Expected]:
    """One session left over all packs of the two, after at least one was used: the student, once for as many sessions.

    Told again only once there were more in all; not by what is bought or given, nor by money that goes back.
    """
    used, total = 0, 0
    wished: dict[int, datetime] = {}
    packs = {line.pack_id for line in lines}
    for line in lines:
        total += line.delta if line.kind in ("purchase", "grant", "adjust") else 0
        used += 1 if line.kind in USES else -1 if line.kind == "reversal" and line.session_id else 0
        if used and line.delta < 0 and line.kind != "refund" and credit.of(packs, line.at) == 1:
            wished.setdefault(total, line.at)
    mentor, student = lines[0].mentor_id, lines[0].student_id
    for at in wished.values():
        yield Expected(
            "renewal_reminder", student, (mentor, student), at, lambda when: credit.of(packs, when) == 1
        )


def _testimonials(facts: Facts, reached: Callable[[datetime], datetime]) -> Iterator[Expected]:
    """After the third session of a pack that was held, and after its last: the student, once each.

    Whether it is the third or the last is seen when somebody works, a moment later; it may have been marked otherwise by
    then.
    """
    held, left = _held_by_pack(facts), _left_by_pack(facts)
    asked: set[tuple[UUID, str]] = set()
    perhaps: set[tuple[UUID, str]] = set()
    for line in facts.ledger:
        if line.kind != "complete":
            continue
        pack = held[line.pack_id], left[line.pack_id]
        at = reached(line.at)
        changes = [step.at for steps in pack for step in steps if at < step.at <= at + LOOKED_AT]
        seen = {_asked_after(*pack, moment) for moment in (at, *changes)}
        for after in filter(None, seen):
            about = (line.pack_id, after)
            if about in asked:
                continue
            sure = seen == {after} and about not in perhaps
            (asked if sure else perhaps).add(about)
            holds = partial(_still_to_ask, *pack, after)
            yield Expected("testimonial_asked", line.student_id, about, line.at, holds, sure=sure)


def _asked_after(held: list[Step], left: list[Step], at: datetime) -> str | None:
    sessions = as_of(held, at, 0)
    if sessions and not as_of(left, at, 0):
        return "last"
    return "third" if sessions >= 3 else None


def _still_to_ask(held: list[Step], left: list[Step], after: str, at: datetime) -> bool:
    sessions = as_of(held, at, 0)
    return bool(sessions and not as_of(left, at, 0)) if after == "last" else bool(sessions >= 3)


def _held_by_pack(facts: Facts) -> dict[UUID, list[Step]]:
    found: dict[UUID, list[Step]] = defaultdict(list)
    used: dict[UUID, str] = {}
    for line in facts.ledger:
        steps = found[line.pack_id]
        before = steps[-1].value if steps else 0
        if line.kind in USES:
            used[line.session_id] = line.kind
            change = int(line.kind == "complete")
        else:
            change = -int(line.kind == "reversal" and used.pop(line.session_id, "") == "complete")
        steps.append(Step(line.at, before + change))
    return found
